import socket

import pytest
from twilio.request_validator import RequestValidator

from service.errors import ConfigError
from service.simulator.account import Account, Terms
from service.simulator.exchange.exchange import Exchange
from service.simulator.timeline import Kind
from tests.simulator.conftest import QUICK
from tests.simulator.talker import ACCOUNT, TOKEN, Talker

pytestmark = pytest.mark.asyncio


async def test_a_call_goes_the_whole_way_with_signed_requests(
    exchange: Exchange, talker: Talker
) -> None:
    phone = await exchange.call(from_="+441632960001", to="+441632960002")
    await phone.until(lambda it: it.timeline.count(Kind.FIRST_AUDIO) == 1, "the agent speaks")
    await phone.hang_up()
    rung, told = talker.at("/twiml/voice")[0], talker.at("/callbacks/call")[0]
    assert rung.fields["CallSid"] == phone.call_sid
    assert (rung.fields["From"], rung.fields["CallStatus"]) == ("+441632960001", "ringing")
    assert (told.fields["CallStatus"], told.fields["SequenceNumber"]) == ("completed", "0")
    validator = RequestValidator(TOKEN)
    for asked in talker.asked:
        sign = asked.headers["x-twilio-signature"]
        assert validator.validate(asked.url, asked.fields, sign)
    sign = talker.streams[0].headers["x-twilio-signature"]
    assert validator.compute_signature(talker.url.replace("http", "ws") + "/media", {}) == sign


async def test_the_stream_says_who_it_is_and_how_it_went(
    exchange: Exchange, talker: Talker
) -> None:
    phone = await exchange.call()
    await phone.until(lambda it: it.is_live, "the stream is there")
    await phone.hang_up()
    start = talker.streams[0].of("start")[0]["start"]
    assert start["customParameters"] == {"client_name": "Zoë <&>"}
    assert start["callSid"] == phone.call_sid
    events = [asked.fields["StreamEvent"] for asked in talker.at("/callbacks/stream")]
    assert events == ["stream-started", "stream-stopped"]


async def test_a_public_url_is_signed_and_the_server_is_dialled(
    exchange: Exchange, talker: Talker
) -> None:
    public = "https://calls.example.com"
    talker.documents["/twiml/voice"] = talker.document().replace(
        talker.url.replace("http", "ws"), "wss://calls.example.com"
    )
    exchange.route(talker.url, public)
    phone = await exchange.call()
    await phone.until(lambda it: it.is_live, "the stream is there")
    validator = RequestValidator(TOKEN)
    rung = talker.at("/twiml/voice")[0]
    assert validator.validate(public + rung.path, rung.fields, rung.headers["x-twilio-signature"])
    sign = talker.streams[0].headers["x-twilio-signature"]
    assert validator.compute_signature("wss://calls.example.com/media", {}) == sign


async def test_the_callback_names_the_error_of_a_stream_that_we_closed(
    exchange: Exchange, talker: Talker
) -> None:
    talker.closes_after_start = 1000
    phone = await exchange.call()
    await phone.until(lambda it: it.streams >= 2, "the action brings another stream")
    errors = [a.fields.get("StreamErrorCode") for a in talker.at("/callbacks/stream")]
    await phone.until(lambda _: len(talker.at("/callbacks/stream")) >= 2, "the callback comes")
    errors = [a.fields.get("StreamErrorCode") for a in talker.at("/callbacks/stream")]
    assert "31921" in errors
    talker.closes_after_start = 0
    await phone.hang_up()


async def test_a_port_that_is_taken_is_one_clear_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"REST port {port} can't be used"):
            await Exchange(Account(ACCOUNT, TOKEN), rest_port=port).__aenter__()


async def test_two_calls_run_beside_each_other(exchange: Exchange, talker: Talker) -> None:
    one, other = await exchange.call(), await exchange.call(terms=Terms(pace=QUICK, echoes=False))
    await one.until(lambda it: it.is_live and other.is_live, "both are live")
    await one.hang_up()
    assert other.is_live
    assert one.call_sid != other.call_sid
    assert len(talker.streams) == 2
