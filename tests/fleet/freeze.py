"""A server is frozen (SIGSTOP) under all its calls: nobody resets anything, so somebody must notice.

The carrier goes on sending into the dead sockets. The other server sees the leases lapse, asks the
carrier, and has the calls redirected. Then the frozen one wakes up, and must harm nobody.
"""

import asyncio
import signal

from service.simulator.timeline import Kind
from tests.fleet.crowd import LightPhone
from tests.fleet.journals import losses, taken
from tests.fleet.kill import EVERY_MS, TALK_S, conclude, only
from tests.fleet.options import Options
from tests.fleet.report import Report
from tests.fleet.settling import all_answer, resumes_a_second, until_back

NOTICED_S_MAX = 45.0  # a lease of 15 s, the watchers' round, 20 redirects a second
WAKE_S = 3.0
RESUMES_A_SECOND_MAX = 25


async def run(options: Options) -> Report:
    """Freeze and wake `rounds` times under `calls` calls."""
    report = Report("freeze", calls=options.calls, rounds=options.rounds, store=options.store)
    lost: list[str] = []
    silent: list[str] = []
    noticed_ms: list[int] = []
    async with options.ground() as ground:
        crowd = ground.crowd
        only(ground, 0)
        await crowd.gather(options.calls)
        for number in range(options.rounds):
            crowd.press_on(every_ms=EVERY_MS, seed=options.seed + number)
            await asyncio.sleep(TALK_S)
            crowd.press_on(every_ms=0, seed=0)
            victim, other = ground.servers[number % 2], 1 - number % 2
            before = await taken(ground)
            frozen_ms = ground.clock.now_ms()
            victim.signal(signal.SIGSTOP)
            only(ground, other)
            phones = [one for one in crowd.callers if not one.is_over]
            await until_back(phones, within_s=NOTICED_S_MAX)
            noticed_ms += [at_ms - frozen_ms for at_ms in _orders_ms(phones, frozen_ms)]
            victim.signal(signal.SIGCONT)
            await asyncio.sleep(WAKE_S)
            silent += await all_answer(phones)
            lost += losses(before, await taken(ground))
        report.spread("frozen to the order to come back", noticed_ms)
        report.count("calls redirected", len(noticed_ms), at_least=options.calls * options.rounds)
        conclude(report, ground, await taken(ground))
        report.count("calls that answer no key afterwards", silent)
        report.count("acknowledged records lost", lost)
        resumes = resumes_a_second(crowd.callers)
        report.count("resumes within a second", resumes, at_most=RESUMES_A_SECOND_MAX)
    return report


def _orders_ms(phones: list[LightPhone], from_ms: int) -> list[int]:
    firsts = (
        next((one.at_ms for one in phone.timeline.of(Kind.ORDER) if one.at_ms >= from_ms), None)
        for phone in phones
    )
    return [at_ms for at_ms in firsts if at_ms is not None]
