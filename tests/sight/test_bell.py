import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator

import pytest

from service.outbound.rules import ANYWHERE, parsed
from service.sight.alerts import Alert
from service.sight.bell import WAITING_MAX, Bell
from tests.answering import Answering, answering
from tests.conftest import wait_until

STORE = Alert("store_degraded", "critical", 1_000, "Calls go on without the store.")
DROPS = Alert("reconnects", "warning", 11_000, "Many streams drop.")
AT_ONCE = (0.0, 0.0)


@contextlib.asynccontextmanager
async def running(bell: Bell) -> AsyncIterator[None]:
    task = asyncio.create_task(bell.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def told(script: Answering) -> list[tuple[str, str]]:
    news = [json.loads(one.body) for one in script.asked]
    return [(one["alert"], one["status"]) for one in news]


@pytest.mark.asyncio
async def test_an_alert_is_told_when_it_begins_and_when_it_ends() -> None:
    with answering((200, b"ok")) as script:
        bell = Bell(f"{script.url}/alerts", "secret", ANYWHERE, "here", AT_ONCE)
        async with running(bell):
            bell.hear([STORE], 1_500)
            bell.hear([STORE, DROPS], 11_500)
            bell.hear([DROPS], 21_500)
            await wait_until(lambda: len(script.asked) == 3, description="all is told")
        assert told(script) == [
            ("store_degraded", "firing"),
            ("reconnects", "firing"),
            ("store_degraded", "resolved"),
        ]
        first = script.asked[0]
        assert (first.method, first.path, first.authorization) == (
            "POST", "/alerts", "Bearer secret",
        )  # fmt: skip
        assert json.loads(first.body) == {
            "server": "here",
            "alert": "store_degraded",
            "status": "firing",
            "severity": "critical",
            "since": "1970-01-01T00:00:01.000Z",
            "at": "1970-01-01T00:00:01.500Z",
            "text": "Calls go on without the store.",
        }


@pytest.mark.asyncio
async def test_what_is_not_taken_is_told_again_and_then_given_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "service")
    with answering((500, b""), (302, b""), (503, b""), (200, b"")) as script:
        bell = Bell(script.url, "", ANYWHERE, "here", AT_ONCE)
        async with running(bell):
            bell.hear([STORE], 1_500)
            bell.hear([STORE, DROPS], 11_500)
            await wait_until(lambda: len(script.asked) == 4, description="the next one is told")
        assert told(script) == [("store_degraded", "firing")] * 3 + [("reconnects", "firing")]
        assert script.asked[0].authorization == ""
    given_up = [one for one in caplog.records if getattr(one, "action", "") == "alert_given_up"]
    assert len(given_up) == 1


@pytest.mark.asyncio
async def test_an_endpoint_that_is_not_there_or_may_not_be_asked_stops_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "service")
    nowhere = Bell("http://127.0.0.1:9", "", ANYWHERE, "here", ())
    forbidden = Bell("https://10.0.0.1/alerts", "", parsed(("a.example",), ()), "here", ())
    async with running(nowhere), running(forbidden):
        nowhere.hear([STORE], 1_500)
        forbidden.hear([STORE], 1_500)
        await wait_until(
            lambda: sum("could not be told" in one.message for one in caplog.records) == 2,
            description="both are given up",
        )


@pytest.mark.asyncio
async def test_only_so_many_wait_and_the_oldest_give_way(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "service")
    with answering((200, b"")) as script:
        bell = Bell(script.url, "", ANYWHERE, "here", AT_ONCE)
        for nth in range(WAITING_MAX + 1):
            bell.hear([STORE] if nth % 2 == 0 else [], nth)
        assert [one.message for one in caplog.records] == ["! too many alerts wait"]
        async with running(bell):
            await wait_until(lambda: len(script.asked) == WAITING_MAX, description="all are told")
        assert told(script)[0] == ("store_degraded", "resolved")
        assert told(script)[-1] == ("store_degraded", "firing")


@pytest.mark.asyncio
async def test_without_an_endpoint_nothing_is_told() -> None:
    bell = Bell("", "", ANYWHERE, "here")
    for nth in range(3 * WAITING_MAX):
        bell.hear([STORE] if nth % 2 == 0 else [], nth)
    assert bell._news.empty()
