import asyncio
import logging
import re
import threading
from collections.abc import Callable, Iterator

import pytest
import uvloop

from service.clock import Clock
from service.meter import Meter
from service.sight import watchdog as module
from service.sight.watchdog import watch_stalls
from tests.conftest import for_a_moment, wait_until

HANGS = 10
NOBODY = 1  # no thread bears that number
SECRET = "+31612345678"
STALLS = "stayline_loop_stalls_total"


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop])
def runner(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner


def watchers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "stayline-watchdog"]


async def beside(meter: Meter, doing: Callable[[], object], times: int) -> None:
    """Do something in a watched loop, which has its turn after each time."""
    watching = asyncio.create_task(watch_stalls(meter))
    for _ in range(times):
        await for_a_moment(0.01)  # for a sign of life
        doing()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await wait_until(lambda: not watchers(), description="the thread is gone")


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        one.getMessage() for one in caplog.records if getattr(one, "action", "") == "loop_stalled"
    ]


def test_a_loop_that_hangs_is_told_of_once_with_the_guilty_place(
    runner: asyncio.Runner, caplog: pytest.LogCaptureFixture
) -> None:
    """O-7: ten of ten."""
    meter = Meter()

    def hangs_here(number: str = SECRET) -> None:
        seen, clock = meter.value(STALLS), Clock()
        until_ms = clock.now_ms() + 10_000
        while meter.value(STALLS) == seen and clock.now_ms() < until_ms:
            assert number  # the stall itself, until it was found
        enough_ms = clock.now_ms() + module.EVERY_MS + 50
        while clock.now_ms() < enough_ms:
            pass  # and some more of it, which is told of no second time

    with caplog.at_level(logging.WARNING):
        runner.run(beside(meter, hangs_here, HANGS))
    assert meter.value(STALLS) == HANGS
    assert len(told(caplog)) == HANGS
    for line in told(caplog):
        *_, place = line.splitlines()
        assert "sight/test_watchdog.py" in line
        assert " in hangs_here" in line
        assert re.fullmatch(r"  \S+:\w+ in \S+", place)
        assert SECRET not in line


def test_what_keeps_the_interpreter_to_itself_is_told_of_when_it_lets_go(
    runner: asyncio.Runner, caplog: pytest.LogCaptureFixture
) -> None:
    """O-7."""
    meter = Meter()

    def matches_for_long() -> None:
        clock, letters = Clock(), 16
        took_ms = 0
        while took_ms < 4 * module.LATE_MS_MAX:
            letters += 1
            began_ms = clock.now_ms()
            re.match(r"(a|a)+$", "a" * letters + "b")
            took_ms = clock.now_ms() - began_ms

    with caplog.at_level(logging.WARNING):
        runner.run(beside(meter, matches_for_long, 1))
    assert meter.value(STALLS) == 1
    assert " in matches_for_long" in told(caplog)[0]


def test_a_loop_that_runs_is_told_of_never(runner: asyncio.Runner) -> None:
    meter = Meter()
    runner.run(beside(meter, lambda: None, 3))
    assert meter.value(STALLS) == 0


def test_a_loop_that_hangs_again_and_again_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    meter = Meter()
    dog = module._Watchdog(meter, Clock(), threading.get_ident())
    minutes = [0] * (module.LINES_MAX + 5) + [module.MINUTE_MS] * 2
    with caplog.at_level(logging.WARNING):
        assert all(dog._miss(now_ms, 200) for now_ms in minutes)
    assert meter.value(STALLS) == module.LINES_MAX + 7
    assert len(told(caplog)) == module.LINES_MAX + 2


def test_a_thread_that_has_ended_is_watched_no_longer() -> None:
    meter = Meter()
    dog = module._Watchdog(meter, Clock(), NOBODY)
    dog.watch()
    assert meter.value(STALLS) == 0
