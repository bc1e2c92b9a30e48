"""What a caller meets whose call can't be opened: a kind sentence, and a conversation."""

import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.call import events as e
from tests.journal.sealing import seal_key
from tests.web.front import CALL, Front, fronted, parameters, ring, served, signature, stream

pytestmark = pytest.mark.asyncio
MEDIA = "wss://calls.example.com/media"


Houses = tuple[Front, Front, Front]


@pytest_asyncio.fixture
async def houses(tmp_path: Path) -> AsyncIterator[Houses]:
    """Three servers at one store: the first has one master, the second another, the third both."""
    masters = (("k1",), ("k2",), ("k2", "k1"))
    async with contextlib.AsyncExitStack() as running:
        first, second, third = [
            await running.enter_async_context(
                fronted(
                    store_url=f"sqlite:///{tmp_path}/calls.db",
                    write_behind=str(tmp_path / "behind"),
                    seal_keys=tuple(map(seal_key, kids)),
                    phone="open",
                )
            )
            for kids in masters
        ]
        yield first, second, third


def kinds(facts: list[e.AnyFact]) -> list[str]:
    return [one.kind if isinstance(one, e.Unknown) else type(one).__name__ for one in facts]


async def talk(front: Front, document: str) -> None:
    """Open the call's stream, and listen for the first sound."""
    async with served(front) as host, stream(host, signed=signature(MEDIA)) as line:
        await line.start(parameters(document)["token"])
        await line.hear("mark")


async def test_a_call_that_cannot_be_opened_goes_on_and_says_so(
    houses: Houses, caplog: pytest.LogCaptureFixture
) -> None:
    """S-7: nobody is left on a dead line because a key is missing, and nothing is lost."""
    first, second, third = houses
    caplog.set_level(logging.ERROR)
    await talk(first, (await first.hook("/twiml/voice", ring())).text)
    before = await first.facts()
    again = await second.hook("/twiml/resume", ring(CallStatus="in-progress"))
    assert again.status_code == 200
    assert "call_unreadable" in {getattr(one, "action", "") for one in caplog.records}
    await talk(second, again.text)
    after = kinds(await second.facts())
    assert after[: len(before)] == ["unreadable"] * len(before)
    assert "ContextLost" in after
    assert "Greeted" not in after
    metrics = (await second.web.get("/metrics")).text
    assert 'stayline_incidents_total{kind="unreadable"} 1.0' in metrics
    assert (await second.api("GET", f"/api/calls/{CALL}")).status_code == 200
    whole = await third.facts()
    assert whole[: len(before)] == before
    assert "unreadable" not in kinds(whole)


async def test_a_call_that_rings_again_and_cannot_be_opened_begins_anew_once(
    houses: Houses,
) -> None:
    first, second, _ = houses
    await first.hook("/twiml/voice", ring())
    for _ in range(2):  # the carrier asks again
        assert parameters((await second.hook("/twiml/voice", ring())).text)["token"]
    assert kinds(await second.facts()) == ["unreadable", "CallOpened"]


async def test_a_call_from_a_page_that_cannot_be_opened_is_over_with_a_kind_sentence(
    houses: Houses,
) -> None:
    first, second, _ = houses
    opened = (await first.web.post("/api/phone/calls", json={})).json()
    refused = await second.web.post(
        f"/api/phone/calls/{opened['call_sid']}/resume",
        json={"recovery": opened["recovery"], "attempt": "a"},
    )
    assert refused.status_code == 410
    assert refused.json()["reason"] == "ended"
    assert "can begin a new call" in refused.json()["detail"]
