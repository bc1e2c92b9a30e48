"""A server is frozen (SIGSTOP) under all its calls: nobody resets anything, so somebody must notice.

The carrier goes on sending into the dead sockets. The other server sees the leases lapse, asks the
carrier, and has the calls redirected. Then the frozen one wakes up, and must harm nobody.
"""

import asyncio
import signal

from service.chaos.callers.crowd import LightPhone
from service.chaos.callers.settling import all_answer, orders_a_second, resumes_a_second, until_back
from service.chaos.judging.judge import losses
from service.chaos.report import Report
from service.simulator.timeline import Kind
from tests.fleet.journals import taken
from tests.fleet.kill import EVERY_MS, TALK_S, conclude, only
from tests.fleet.options import Options

NOTICED_S_MAX = 45.0  # a lease of 15 s, the watchers' round, 20 redirects a second
WAKE_S = 3.0
ORDERS_A_SECOND_MAX = 25


async def run(options: Options) -> Report:
    """Freeze and wake `rounds` times under `calls` calls."""
    report = Report("freeze", calls=options.calls, rounds=options.rounds, store=options.store)
    lost: list[str] = []
    silent: list[str] = []
    noticed_ms: list[int] = []
    missed: list[str] = []
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
            for phone in phones:
                at_ms = _ordered_ms(phone, frozen_ms)
                if at_ms:
                    noticed_ms.append(at_ms - frozen_ms)
                else:
                    missed.append(f"{phone.call_sid}, round {number + 1}\n{phone.story()}")
            victim.signal(signal.SIGCONT)
            await asyncio.sleep(WAKE_S)
            silent += await all_answer(phones)
            lost += losses(before, await taken(ground))
        report.spread("frozen to the order to come back", noticed_ms)
        report.count("calls that nobody redirected", missed)
        conclude(report, ground, await taken(ground))
        report.count("calls that answer no key afterwards", silent)
        report.count("acknowledged records lost", lost)
        orders = orders_a_second(crowd.callers)
        report.count("moves ordered within a second", orders, at_most=ORDERS_A_SECOND_MAX)
        report.count("resumes within a second", resumes_a_second(crowd.callers), at_most=None)
    return report


def _ordered_ms(phone: LightPhone, from_ms: int) -> int:
    """Return when the service first asked the carrier for something since then, 0 for never."""
    orders = (one.at_ms for one in phone.timeline.of(Kind.ORDER) if one.at_ms >= from_ms)
    return next(orders, 0)
