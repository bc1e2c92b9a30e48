"""Nothing breaks: callers talk, and one server carries them. What it costs, and what it is like to wait.

With FLEET_PROFILE=FILE the server is profiled on the way: see served.py.
"""

import asyncio
import os

from service.chaos.callers.settling import answers_ms
from service.chaos.report import Report
from tests.fleet.options import Options

EVERY_MS = 5_000


async def run(options: Options) -> Report:
    """Carry `calls` calls for `seconds`."""
    report = Report("load", calls=options.calls, media_ms=options.media_ms, seconds=options.seconds)
    async with options.ground(servers=1) as ground:
        crowd, server = ground.crowd, ground.servers[0]
        await crowd.gather(options.calls)
        crowd.press_on(every_ms=EVERY_MS, seed=options.seed)
        used_ms, own = server.cpu_ms(), sum(os.times()[:2])
        await asyncio.sleep(options.seconds)
        used_ms, own = server.cpu_ms() - used_ms, sum(os.times()[:2]) - own
        report.spread("key to answer", answers_ms(crowd.callers))
        per_mille = used_ms // options.seconds
        report.count("of a core for the server, per mille", per_mille, at_most=None)
        crowd_per_mille = round(own * 1_000 / options.seconds)
        report.count("of a core for the crowd, per mille", crowd_per_mille, at_most=None)
        report.count("streams lost", sum(len(one.span.strands) - 1 for one in crowd.callers))
        report.count("the crowd's own lag, ms", crowd.lag_ms_max, at_most=None)
    return report
