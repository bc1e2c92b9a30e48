"""Rolling restarts: SIGTERM to one server after the other, while everybody talks (O-9, G8).

Each round stops one server, starts it again, and waits until it is ready and every caller has a stream.
"""

import asyncio

from service.chaos.callers.settling import answers_ms, gaps_ms, orders_a_second, resumes_a_second
from service.chaos.judging.judge import losses, second_greetings, unkept
from service.chaos.report import Report
from tests.fleet.journals import taken
from tests.fleet.options import Options

EXIT_MS_MAX = 28_000  # a platform kills at 30 s
RESUMES_A_SECOND_MAX = 25
BACK_S_MAX = 20.0
EVERY_MS = 8_000


async def run(options: Options) -> Report:
    """Restart `rounds` times under `calls` calls."""
    report = Report("rolling", calls=options.calls, rounds=options.rounds, store=options.store)
    exits_ms: list[int] = []
    lost: list[str] = []
    async with options.ground() as ground:
        crowd = ground.crowd
        await crowd.gather(options.calls)
        crowd.press_on(every_ms=EVERY_MS, seed=options.seed)
        before = await taken(ground)
        for number in range(options.rounds):
            server = ground.servers[number % len(ground.servers)]
            exits_ms.append(await server.stop())
            await server.start()
            await ground.balancer.look()
            await crowd.until_live(options.calls - len(crowd.ended), within_s=BACK_S_MAX)
            after = await taken(ground)
            lost += losses(before, after)
            before = after
        crowd.press_on(every_ms=0, seed=0)
        await asyncio.sleep(2)
        callers, journals = crowd.callers, await taken(ground)
        lost += losses(before, journals)
        report.spread("SIGTERM to exit", exits_ms, worst_max=EXIT_MS_MAX)
        report.spread("a caller's gap", gaps_ms(callers))
        report.spread("key to answer", answers_ms(callers))
        orders = orders_a_second(callers)
        report.count("moves ordered within a second", orders, at_most=RESUMES_A_SECOND_MAX)
        report.count(
            "resumes within a second", resumes_a_second(callers), at_most=RESUMES_A_SECOND_MAX
        )
        report.count(
            "calls ended", [f"{one.call_sid}: {one.course.ended_by}" for one in crowd.ended]
        )
        report.count("calls without a stream at the end", options.calls - len(crowd.live))
        report.count("acknowledged records lost", lost)
        report.count("told to a caller and not kept once", unkept(callers, journals))
        report.count("second greetings", second_greetings(callers, journals))
        report.count("codes noted", sum(len(one.noted()) for one in callers), at_least=1)
    return report
