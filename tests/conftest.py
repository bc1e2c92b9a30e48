"""What every test has around it: nothing that it started may outlive it. And how a test waits."""

import asyncio
import inspect
import logging
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress

import pytest
import pytest_asyncio
from hypothesis import settings

# The same examples in every run, so that a change alone breaks a test; FUZZ=1 looks for new ones. How long one
# takes says only how busy the machine is.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("new", print_blob=True, deadline=None)
settings.load_profile("new" if os.environ.get("FUZZ") else "same")

WAIT_S_MAX = 10.0
LOOK_S = 0.005

_ELSEWHERE = ("_shutdown_watcher",)  # sse-starlette keeps one for as long as the loop lives


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


async def wait_until(
    holds: Callable[[], bool | Awaitable[bool]], *, description: str, within_s: float = WAIT_S_MAX
) -> None:
    """Look again and again until `holds` does; fail with the description when it never does."""
    try:
        async with asyncio.timeout(within_s):
            while True:
                answer = holds()
                if (await answer) if inspect.isawaitable(answer) else answer:
                    return
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        pytest.fail(f"waited {within_s} s in vain until {description}")


async def for_a_moment(moment_s: float) -> None:
    """Give what must not happen the time to happen."""
    with suppress(TimeoutError):
        async with asyncio.timeout(moment_s):
            await asyncio.Event().wait()


@pytest.fixture
def logging_of_others() -> Iterator[None]:
    """Leave the logging of this process, and its last resorts, as they were."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    logging.captureWarnings(capture=False)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    root.handlers[:] = before
    root.setLevel(level)


@pytest_asyncio.fixture
async def no_task_left() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    left = [
        task
        for task in asyncio.all_tasks() - before - {asyncio.current_task()}
        if getattr(task.get_coro(), "__name__", "") not in _ELSEWHERE
    ]
    if left:  # What was cancelled a moment ago may need a turn of the loop to end.
        _, still = await asyncio.wait(left, timeout=1)
        assert not still, f"still running after the test: {still}"


@pytest.fixture(autouse=True)
def _nothing_outlives_the_test(request: pytest.FixtureRequest) -> None:
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("no_task_left")
