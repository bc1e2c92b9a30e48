"""Waiting for a crowd to be whole again, and what its streams tell of the time between."""

import asyncio
from collections.abc import Iterable

from service.chaos.callers.crowd import LightPhone
from service.chaos.waiting import until
from service.simulator.timeline import Kind

ANSWER_S_MAX = 10.0
WINDOW_MS = 1_000


async def until_back(phones: Iterable[LightPhone], *, within_s: float) -> bool:
    """Wait until each of these has a stream that is not one of those it has now, or had."""
    known = [(phone, len(phone.span.strands)) for phone in phones]
    return await until(
        lambda: all(len(it.span.strands) > had and it.span.strand is not None for it, had in known),
        within_s=within_s,
    )


async def all_answer(phones: list[LightPhone], *, within_s: float = ANSWER_S_MAX) -> list[str]:
    """Let each press a code; returns those who hear nothing in answer."""
    known = [(phone, len(phone.answers)) for phone in phones]
    for phone in phones:
        phone.press_code()
        await asyncio.sleep(0.005)
    await until(lambda: all(len(it.answers) > had for it, had in known), within_s=within_s)
    silent = [phone for phone, had in known if len(phone.answers) <= had]
    return [f"{phone.call_sid}\n{phone.story()}" for phone in silent]


def resumes_a_second(phones: Iterable[LightPhone]) -> int:
    """Return the most streams that began within any second, each call's first one not counted."""
    return _most_a_second(
        strand.started_us // 1_000 for phone in phones for strand in phone.span.strands[1:]
    )


def orders_a_second(phones: Iterable[LightPhone]) -> int:
    """Return the most REST updates that the service asked for within any second."""
    return _most_a_second(
        order.at_ms for phone in phones for order in phone.timeline.of(Kind.ORDER)
    )


def _most_a_second(unsorted: Iterable[int]) -> int:
    moments = sorted(unsorted)
    most = first = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - WINDOW_MS:
            first += 1
        most = max(most, last - first + 1)
    return most


def gaps_ms(phones: Iterable[LightPhone]) -> list[int]:
    """Return every time that a caller was without a stream."""
    return [gap for phone in phones for gap in phone.gaps_ms()]


def answers_ms(
    phones: Iterable[LightPhone], *, from_ms: int = 0, until_ms: int = 2**53
) -> list[int]:
    """Return how long the callers who pressed a code in this time waited for the answer."""
    return [
        took_us // 1_000
        for phone in phones
        for asked_us, took_us in phone.answers
        if from_ms <= asked_us // 1_000 < until_ms
    ]
