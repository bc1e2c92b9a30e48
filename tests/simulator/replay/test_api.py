from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service.simulator.exchange.exchange import Exchange
from service.simulator.replay.api import Api, Snapshot
from service.simulator.timeline import Kind
from tests.simulator.talker import API_TOKEN, Talker

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def api(talker: Talker) -> AsyncIterator[Api]:
    asking = Api(talker.url, API_TOKEN)
    yield asking
    await asking.close()


async def test_a_call_is_read_with_its_records(api: Api) -> None:
    snapshot = await api.snapshot("CA1")
    assert isinstance(snapshot, Snapshot)
    assert snapshot.call["phase"] == "live"
    assert [record["kind"] for record in snapshot.records] == ["greeted"]


async def test_a_refusal_is_one_sentence(talker: Talker) -> None:
    stranger = Api(talker.url, "wrong")
    assert await stranger.snapshot("CA1") == "/api/calls/CA1 answers HTTP 401"
    await stranger.close()


async def test_a_server_that_is_not_there_is_one_sentence() -> None:
    lost = Api("http://127.0.0.1:1", API_TOKEN)
    assert "gives no answer" in str(await lost.snapshot("CA1"))
    assert "gives no answer" in await lost.send_digits("CA1", "1")
    await lost.close()


async def test_an_answer_that_is_no_call_is_one_sentence(api: Api, talker: Talker) -> None:
    talker.records = ["nonsense"]
    assert await api.snapshot("CA1") == "the API's answer can't be read"


async def test_digits_are_asked_for_and_come_by_the_carrier(
    api: Api, exchange: Exchange, talker: Talker
) -> None:
    phone = await exchange.call()
    await phone.until(lambda it: it.is_live, "the stream is there")
    assert await api.send_digits(phone.call_sid, "1w2") == ""
    await phone.until(lambda it: it.streams == 2 and it.is_live, "the stream comes back")
    assert [event.text for event in phone.timeline.of(Kind.DIGITS_SENT)] == ["1w2"]
    assert "HTTP 404" in await api.send_digits("CA-unknown", "1")
    assert len(talker.streams) == 2
