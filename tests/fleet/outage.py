"""The store is gone for half a minute, again and again: stopped, paused, killed and started again (O-6, G6).

Callers press codes all the while. What they are told must be in the journal once, in order, soon after
the store is back; and nobody may wait for a dead store.
"""

import asyncio
import os
import signal

from service.chaos.callers.settling import answers_ms
from service.chaos.judging.judge import Journals, losses, second_greetings, unkept
from service.chaos.report import Report, at
from service.chaos.waiting import until
from tests.fleet.ground import Ground
from tests.fleet.journals import Unanswered, asked, taken
from tests.fleet.options import Options

KINDS = ("stopped", "paused", "killed")
ADDED_MS_MAX = 20
FLUSHED_MS_MAX = 5_000
FLUSHED_S_WATCHED = 20.0
CALM_S = 10.0
EVERY_MS = 4_000
LOOK_S = 0.2


async def run(options: Options) -> Report:
    """Take the store away `rounds` times for `seconds` under `calls` calls."""
    report = Report("outage", calls=options.calls, rounds=options.rounds, seconds=options.seconds)
    away: list[tuple[int, int]] = []
    flushed_ms: list[int] = []
    async with options.ground() as ground:
        crowd = ground.crowd
        await crowd.gather(options.calls)
        crowd.press_on(every_ms=EVERY_MS, seed=options.seed)
        await asyncio.sleep(CALM_S)
        before = await taken(ground)
        for number in range(options.rounds):
            from_ms = ground.clock.now_ms()
            await _take_away(ground, KINDS[number % len(KINDS)], options.seconds)
            away.append((from_ms, ground.clock.now_ms()))
            flushed_ms.append(await _flushed(ground))
            await asyncio.sleep(CALM_S)
        crowd.press_on(every_ms=0, seed=0)
        await asyncio.sleep(2)
        journals = await taken(ground)
        _conclude(report, ground, away, before, journals, slack=options.slack)
        report.spread("back to all told being kept", flushed_ms, worst_max=FLUSHED_MS_MAX)
    return report


async def _take_away(ground: Ground, kind: str, seconds: int) -> None:
    """Take the store away; returns when it is back."""
    match kind:
        case "stopped":
            os.kill(ground.store_pid, signal.SIGSTOP)
            await asyncio.sleep(seconds)
            os.kill(ground.store_pid, signal.SIGCONT)
        case "paused":
            assert ground.valkey is not None
            client = ground.valkey.client()
            await asyncio.to_thread(client.execute_command, "CLIENT", "PAUSE", seconds * 1_000)
            await asyncio.sleep(seconds)
        case _:
            os.kill(ground.store_pid, signal.SIGKILL)
            await asyncio.sleep(seconds)
            await asyncio.to_thread(ground.open_valkey)


async def _flushed(ground: Ground) -> int:
    """Return how many milliseconds after now the journal holds all that callers were told by now."""
    began_ms = ground.clock.now_ms()
    told = {phone.call_sid: phone.noted() for phone in ground.crowd.callers}
    await until(lambda: _is_kept(ground, told), within_s=FLUSHED_S_WATCHED, look_s=LOOK_S)
    return ground.clock.now_ms() - began_ms


async def _is_kept(ground: Ground, told: dict[str, list[str]]) -> bool:
    try:
        journals = await asked(ground)
    except Unanswered:
        return False
    return all(
        code in [one.get("digits") for one in journals[call_sid]]
        for call_sid, codes in told.items()
        for code in codes
    )


def _conclude(
    report: Report,
    ground: Ground,
    away: list[tuple[int, int]],
    before: Journals,
    journals: Journals,
    *,
    slack: int,
) -> None:
    callers, ended = ground.crowd.callers, ground.crowd.ended
    calm = answers_ms(callers, until_ms=away[0][0])
    dark = [ms for from_ms, until_ms in away for ms in _answers_between(ground, from_ms, until_ms)]
    report.spread("key to answer, store there", calm)
    report.spread("key to answer, store away", dark)
    added_ms = max(0, at(sorted(dark), 99) - at(sorted(calm), 99))
    report.count("added to the answer at p99, ms", added_ms, at_most=slack * ADDED_MS_MAX)
    report.count("answers while it was away", len(dark), at_least=1)
    report.count("keys that nothing answered", sum(len(one.unanswered) for one in callers))
    report.count("streams lost", sum(len(one.span.strands) - 1 for one in callers))
    report.count("calls ended", [f"{one.call_sid}: {one.course.ended_by}" for one in ended])
    report.count("acknowledged records lost", losses(before, journals))
    report.count("told to a caller and not kept once, in order", unkept(callers, journals))
    report.count("second greetings", second_greetings(callers, journals))


def _answers_between(ground: Ground, from_ms: int, until_ms: int) -> list[int]:
    return answers_ms(ground.crowd.callers, from_ms=from_ms, until_ms=until_ms)
