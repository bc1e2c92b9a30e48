import contextlib
import socket

import pytest

from service.simulator.account import Terms
from service.simulator.exchange.exchange import Exchange
from service.simulator.streams import bridge, handshake
from service.simulator.timeline import Kind
from tests.simulator.conftest import QUICK
from tests.simulator.talker import Talker

pytestmark = pytest.mark.asyncio


def connecting(url: str) -> str:
    return f'<Response><Connect><Stream url="{url}" statusCallback="/callbacks/stream"/></Connect></Response>'


def refusing() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"ws://127.0.0.1:{free.getsockname()[1]}/media"


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("{server}/nowhere", handshake.BAD_HANDSHAKE),
        ("{refusing}", handshake.CONNECT_REFUSED),
        ("ftp://127.0.0.1/media", handshake.BAD_SCHEME),
        ("ws:///media", handshake.MALFORMED),
        ("ws://[/media", handshake.MALFORMED),
        ("ws://h:port/media", handshake.MALFORMED),
    ],
)
async def test_a_failed_handshake_is_told_and_the_call_goes_on(
    exchange: Exchange, talker: Talker, url: str, error: int
) -> None:
    server = talker.url.replace("http", "ws")
    talker.documents["/twiml/voice"] = connecting(url.format(server=server, refusing=refusing()))
    phone = await exchange.call()
    await phone.until(lambda it: it.is_over, "the document has no verb left")
    await phone.finished()
    assert [event.value for event in phone.timeline.of(Kind.STREAM_FAILED)] == [error]
    told = talker.at("/callbacks/stream")[0].fields
    assert (told["StreamEvent"], told["StreamErrorCode"]) == ("stream-error", str(error))


async def test_a_listener_that_is_no_websocket_server_is_a_bad_handshake(
    exchange: Exchange, talker: Talker
) -> None:
    talker.documents["/twiml/voice"] = connecting(exchange.api_url.replace("http", "ws") + "/x")
    phone = await exchange.call()
    await phone.until(lambda it: it.is_over, "the document has no verb left")
    assert phone.timeline.of(Kind.STREAM_FAILED)[0].value == handshake.BAD_HANDSHAKE


async def test_the_carriers_own_parameters_are_added(exchange: Exchange, talker: Talker) -> None:
    added = (("From", "+15550001"), ("client_name", "Zed"))
    phone = await exchange.call(terms=Terms(pace=QUICK, parameters=added))
    await phone.until(lambda it: it.is_live, "the stream is there")
    await phone.until(lambda _: bool(talker.streams[0].of("start")), "start arrives")
    start = talker.streams[0].of("start")[0]["start"]
    assert start["customParameters"] == {"client_name": "Zed", "From": "+15550001"}


async def test_redials_go_on_while_the_server_refuses(exchange: Exchange, talker: Talker) -> None:
    phone = await exchange.call()
    await phone.until(lambda it: it.is_live, "the stream is there")
    talker.refuses = 2
    await phone.caller.drop("redial")
    await phone.until(lambda it: it.streams == 2 and it.is_live, "the stream comes back")
    assert phone.timeline.count(Kind.STREAM_FAILED) == 2
    assert not talker.at("/twiml/resume")


async def test_redials_end_some_time_and_the_action_is_asked(
    exchange: Exchange, talker: Talker
) -> None:
    phone = await exchange.call()
    await phone.until(lambda it: it.is_live, "the stream is there")
    talker.refuses = 1 + bridge.REDIALS_MAX
    await phone.caller.drop("redial=1ms")
    await phone.until(lambda _: bool(talker.at("/twiml/resume")), "the action is asked")
    assert phone.timeline.count(Kind.STREAM_FAILED) >= bridge.REDIALS_MAX


async def test_leaving_the_exchange_lets_every_call_go(talker: Talker, exchange: Exchange) -> None:
    async with contextlib.AsyncExitStack() as stack:
        other = await stack.enter_async_context(
            Exchange(exchange.account, server_url=talker.url, terms=exchange.terms)
        )
        phone = await other.call()
        await phone.until(lambda it: it.is_live, "the stream is there")
        await phone.caller.drop("half-open")
    await (await exchange.call()).until(lambda _: talker.streams[0].code != 0, "the socket is gone")
