"""All streams are cut in one instant, in the middle of a sentence, and all come back (O-1, G4).

Measured at the carrier's side, from `start` sent to the first audio. A second pass spreads the cuts over
five seconds.
"""

import asyncio

from service.chaos.callers.crowd import LightPhone
from service.chaos.callers.settling import gaps_ms, until_back
from service.chaos.judging.judge import losses, second_greetings
from service.chaos.report import Report
from tests.fleet.journals import taken
from tests.fleet.options import Options

FIRST_MS_MAX = 1_000
SPREAD_FIRST_MS_MAX = 50
SPREAD_S = 5.0
BACK_S_MAX = 40.0
SETTLE_S = 3.0
SENTENCES = 100  # four seconds each: nobody reaches the end of the story


async def run(options: Options) -> Report:
    """Cut `calls` streams at once, then one after the other, `rounds` times."""
    report = Report(
        "herd",
        calls=options.calls,
        rounds=options.rounds,
        servers=options.servers,
        store=options.store,
    )
    instants: list[int] = []
    firsts: dict[str, list[int]] = {"at once": [], "over 5 s": []}
    async with options.ground(FLEET_STORY=str(SENTENCES)) as ground:
        crowd = ground.crowd
        await crowd.gather(options.calls)
        before = await taken(ground)
        for _ in range(options.rounds):
            for name, over_s in (("at once", 0.0), ("over 5 s", SPREAD_S)):
                known = [len(one.span.strands) for one in crowd.callers]
                began_us = ground.clock.now_us()
                back = asyncio.create_task(until_back(crowd.callers, within_s=BACK_S_MAX + over_s))
                await asyncio.sleep(0)
                await _cut(crowd.callers, over_s)
                if not over_s:
                    instants.append((ground.clock.now_us() - began_us) // 1_000)
                await back
                await asyncio.sleep(SETTLE_S)
                firsts[name] += _firsts_ms(crowd.callers, known)
        journals = await taken(ground)
        report.spread("to cut them all", instants)
        report.spread(
            "start to first audio, at once", firsts["at once"], p99_max=options.slack * FIRST_MS_MAX
        )
        report.spread(
            "start to first audio, over 5 s",
            firsts["over 5 s"],
            p99_max=options.slack * SPREAD_FIRST_MS_MAX,
        )
        report.spread("a caller's gap", gaps_ms(crowd.callers))
        wanted = options.calls * options.rounds
        for name, found in firsts.items():
            report.count(f"came back speaking, {name}", len(found), at_least=wanted)
        refusals = [
            f"{one.call_sid}: {code}" for one in crowd.callers for code in one.span.refusals
        ]
        report.count("handshakes that failed", refusals)
        report.count(
            "calls ended", [f"{one.call_sid}: {one.course.ended_by}" for one in crowd.ended]
        )
        report.count("acknowledged records lost", losses(before, journals))
        report.count("second greetings", second_greetings(crowd.callers, journals))
        report.count("the crowd's own lag, ms", crowd.lag_ms_max, at_most=None)
    return report


async def _cut(phones: list[LightPhone], over_s: float) -> None:
    for phone in phones:
        phone.span.drop()
        if over_s:
            await asyncio.sleep(over_s / len(phones))


def _firsts_ms(phones: list[LightPhone], known: list[int]) -> list[int]:
    """Return each caller's time from the `start` of the stream that came back to its first audio."""
    strands = (
        phone.span.strands[count]
        for phone, count in zip(phones, known, strict=True)
        if len(phone.span.strands) > count
    )
    return [
        (strand.first_media_us - strand.started_us) // 1_000
        for strand in strands
        if strand.first_media_us
    ]
