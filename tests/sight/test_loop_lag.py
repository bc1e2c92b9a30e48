import asyncio

import pytest

from service.meter import Meter
from service.sight.loop_lag import watch_loop
from tests.conftest import wait_until

STALL_MS = 150


@pytest.mark.asyncio
async def test_a_loop_that_stood_still_is_seen_to_have_done_so() -> None:
    """O-7."""
    meter = Meter()
    watching = asyncio.create_task(watch_loop(meter))
    looks = "stayline_loop_lag_seconds_count"
    await wait_until(lambda: meter.value(looks) >= 1, description="the loop was looked at")
    before = meter.value("stayline_loop_lag_seconds_sum")
    deadline_s = asyncio.get_running_loop().time() + (100 + STALL_MS) / 1_000
    while asyncio.get_running_loop().time() < deadline_s:
        pass  # the stall itself
    seen = meter.value(looks)
    await wait_until(lambda: meter.value(looks) > seen, description="it was looked at again")
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert meter.value("stayline_loop_lag_seconds_sum") - before >= STALL_MS / 1_000 - 0.02
