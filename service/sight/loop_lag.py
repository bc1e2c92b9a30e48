"""How late the event loop is: a timer that looks how much later than asked it was come to."""

import asyncio

from service.meter import Meter

EVERY_MS = 100  # ten looks a second find a stall of 100 ms every time, and cost nothing


async def watch_loop(meter: Meter) -> None:
    """Measure again and again, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + EVERY_MS / 1_000
        await asyncio.sleep(EVERY_MS / 1_000)
        meter.machine.loop_lag.observe(max(0.0, loop.time() - due_s))
