"""One server alone is restarted: SIGTERM, exit, start. Nobody else can take its calls meanwhile.

They must all come back to the new process, whatever the carrier is told in between.
"""

import asyncio

from service.chaos.callers.settling import all_answer, gaps_ms
from service.chaos.judging.judge import interleaved, losses, second_greetings, unkept
from service.chaos.report import Report
from tests.fleet.journals import taken
from tests.fleet.options import Options
from tests.fleet.rolling import EXIT_MS_MAX

BACK_S_MAX = 30.0  # after the new process is ready
TALK_S = 3.0
EVERY_MS = 4_000


async def run(options: Options) -> Report:
    """Restart `rounds` times under `calls` calls."""
    report = Report("restart", calls=options.calls, rounds=options.rounds, store=options.store)
    exits_ms: list[int] = []
    lost: list[str] = []
    silent: list[str] = []
    async with options.ground(servers=1) as ground:
        crowd, server = ground.crowd, ground.servers[0]
        await crowd.gather(options.calls)
        for number in range(options.rounds):
            crowd.press_on(every_ms=EVERY_MS, seed=options.seed + number)
            await asyncio.sleep(TALK_S)
            crowd.press_on(every_ms=0, seed=0)
            before = await taken(ground)
            exits_ms.append(await server.stop())
            await server.start()
            await ground.balancer.look()
            phones = [one for one in crowd.callers if not one.is_over]
            await crowd.until_live(len(phones), within_s=BACK_S_MAX)
            silent += await all_answer([one for one in phones if not one.is_over])
            lost += losses(before, await taken(ground))
        callers, journals = crowd.callers, await taken(ground)
        report.spread("SIGTERM to exit", exits_ms, worst_max=EXIT_MS_MAX)
        report.spread("a caller's gap", gaps_ms(callers))
        ended = [f"{one.call_sid}: {one.course.ended_by}" for one in crowd.ended]
        report.count("calls ended", ended)
        report.count("calls without a stream at the end", options.calls - len(crowd.live))
        report.count("calls that answer no key afterwards", silent)
        report.count("acknowledged records lost", lost)
        report.count("told to a caller and not kept once", unkept(callers, journals))
        report.count("second greetings", second_greetings(callers, journals))
        report.count("written by an owner that was replaced", interleaved(journals))
    return report
