"""A server is killed with -9 under all its calls; the carrier's own way back leads to the other one (G1).

The servers take turns: each round kills the one that holds the calls, and starts it again afterwards.
"""

import asyncio

from service.chaos.callers.crowd import LightPhone
from service.chaos.callers.settling import all_answer, gaps_ms, until_back
from service.chaos.judging.judge import interleaved, losses, second_greetings, unkept
from service.chaos.report import Report
from tests.fleet.ground import Ground
from tests.fleet.journals import taken
from tests.fleet.options import Options

BACK_MS_MAX = 10_000  # after the carrier's redirect
EVERY_MS = 4_000
TALK_S = 3.0


async def run(options: Options) -> Report:
    """Kill `rounds` times under `calls` calls."""
    report = Report("kill", calls=options.calls, rounds=options.rounds, store=options.store)
    lost: list[str] = []
    silent: list[str] = []
    async with options.ground() as ground:
        crowd = ground.crowd
        only(ground, 0)
        await crowd.gather(options.calls)
        for number in range(options.rounds):
            crowd.press_on(every_ms=EVERY_MS, seed=options.seed + number)
            await asyncio.sleep(TALK_S)
            before = await taken(ground)
            victim, other = number % 2, 1 - number % 2
            only(ground, other)
            await ground.servers[victim].kill()
            await until_back(_live(ground), within_s=2 * BACK_MS_MAX / 1_000)
            crowd.press_on(every_ms=0, seed=0)
            silent += await all_answer(_live(ground))
            lost += losses(before, await taken(ground))
            await ground.servers[victim].start()
        conclude(report, ground, await taken(ground))
        report.count("calls that answer no key afterwards", silent)
        report.count("acknowledged records lost", lost)
    return report


def only(ground: Ground, number: int) -> None:
    """Lead new connections to this server alone, from now on."""
    ground.balancer.ports = [ground.servers[number].port]
    ground.balancer.ready = list(ground.balancer.ports)


def conclude(report: Report, ground: Ground, journals: dict[str, list[dict[str, object]]]) -> None:
    """Report what must hold after any loss of a server."""
    callers = ground.crowd.callers
    redirect_ms = ground.crowd.terms.pace.turn_ms
    back_ms = [max(0, gap - redirect_ms) for gap in gaps_ms(callers)]
    report.spread("redirect to the next stream", back_ms, worst_max=BACK_MS_MAX)
    ended = [f"{one.call_sid}: {one.course.ended_by}" for one in ground.crowd.ended]
    report.count("calls ended", ended)
    report.count("calls without a stream at the end", len(callers) - len(ground.crowd.live))
    report.count("told to a caller and not kept once", unkept(callers, journals))
    report.count("second greetings", second_greetings(callers, journals))
    report.count("written by an owner that was replaced", interleaved(journals))


def _live(ground: Ground) -> list[LightPhone]:
    return [one for one in ground.crowd.callers if not one.is_over]
