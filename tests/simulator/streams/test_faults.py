import itertools

import pytest

from service.simulator.exchange.exchange import Exchange
from service.simulator.phone import Phone
from service.simulator.streams import faults
from service.simulator.timeline import Kind
from tests.simulator.talker import Talker

NO_CLOSE_FRAME = 1005  # what this server reports for a socket that just went
CODES = {
    "close": 1000,
    "close=1001": 1001,
    "close=1012": 1012,
    "eof": NO_CLOSE_FRAME,
    "reset": NO_CLOSE_FRAME,
}


async def greeted(exchange: Exchange) -> Phone:
    phone = await exchange.call()
    await phone.until(lambda it: it.agent_turns == 1 and not it.agent_speaks, "the agent greets")
    return phone


def sids(talker: Talker) -> list[str]:
    return [stream.of("start")[0]["streamSid"] for stream in talker.streams]


async def returned(phone: Phone) -> None:
    await phone.until(lambda it: it.streams == 2 and it.is_live, "the stream comes back")
    await phone.until(lambda it: it.timeline.count(Kind.FIRST_AUDIO) == 2, "the agent goes on")
    assert phone.warnings == []


@pytest.mark.asyncio
@pytest.mark.parametrize("name", CODES)
async def test_a_stream_that_ends_comes_back_by_the_action(
    exchange: Exchange, talker: Talker, name: str
) -> None:
    phone = await greeted(exchange)
    await phone.caller.drop(name)
    await returned(phone)
    await phone.until(lambda _: talker.streams[0].code == CODES[name], "the end is seen")
    assert not talker.streams[0].of("stop")
    assert len(talker.at("/twiml/resume")) == 1
    assert len(set(sids(talker))) == 2
    assert phone.timeline.of(Kind.STREAM_OPENED)[1].value < 2_000


@pytest.mark.asyncio
async def test_a_half_open_socket_stays_while_the_new_stream_runs(
    exchange: Exchange, talker: Talker
) -> None:
    phone = await greeted(exchange)
    await phone.caller.drop("half-open")
    await returned(phone)
    assert talker.streams[0].code == 0
    await phone.until(
        lambda _: talker.streams[0].code == NO_CLOSE_FRAME, "the old socket goes away"
    )
    assert phone.is_live


@pytest.mark.asyncio
async def test_a_late_stop_comes_on_the_old_socket_after_the_new_start(
    exchange: Exchange, talker: Talker
) -> None:
    phone = await greeted(exchange)
    await phone.caller.drop("late-stop")
    await returned(phone)
    await phone.until(lambda _: bool(talker.streams[0].of("stop")), "the old stream stops")
    assert talker.streams[1].of("start")
    assert phone.is_live


@pytest.mark.asyncio
async def test_a_double_webhook_gives_two_streams_and_the_second_lives(
    exchange: Exchange, talker: Talker
) -> None:
    phone = await greeted(exchange)
    await phone.caller.drop("double-webhook")
    await phone.until(lambda it: it.streams == 3 and it.is_live, "two streams come")
    await phone.until(lambda _: bool(talker.streams[1].of("stop")), "the first of them stops")
    assert len(talker.at("/twiml/resume")) == 2
    tokens = {asked.headers["i-twilio-idempotency-token"] for asked in talker.at("/twiml/resume")}
    assert len(tokens) == 2
    assert phone.is_live


@pytest.mark.asyncio
async def test_a_call_may_ring_with_a_double_webhook(exchange: Exchange, talker: Talker) -> None:
    phone = await exchange.call(is_doubled=True)
    await phone.until(lambda it: it.streams == 2 and it.is_live, "two streams come")
    assert len(talker.at("/twiml/voice")) == 2


@pytest.mark.asyncio
async def test_a_redial_brings_the_same_stream_and_asks_nobody(
    exchange: Exchange, talker: Talker
) -> None:
    phone = await greeted(exchange)
    await phone.caller.drop("redial")
    await returned(phone)
    assert len(set(sids(talker))) == 1
    assert len(talker.streams) == 2
    assert not talker.at("/twiml/resume")


@pytest.mark.asyncio
async def test_a_stall_holds_frames_back_and_then_makes_them_up(
    exchange: Exchange, talker: Talker
) -> None:
    phone = await greeted(exchange)
    before = len(talker.streams[0].frames)
    await phone.caller.drop("stall=400ms")
    await phone.until(lambda _: len(talker.streams[0].frames) >= before + 20, "the frames come")
    stamps = [int(m["media"]["timestamp"]) for m in talker.streams[0].of("media")]
    assert all(after - earlier == 20 for earlier, after in itertools.pairwise(stamps))
    assert phone.streams == 1


@pytest.mark.asyncio
async def test_a_start_may_come_twice(exchange: Exchange, talker: Talker) -> None:
    phone = await greeted(exchange)
    await phone.caller.drop("duplicate-start")
    await phone.until(lambda _: len(talker.streams[0].of("start")) == 2, "start comes twice")
    assert phone.is_live


@pytest.mark.asyncio
async def test_a_fault_without_a_stream_is_noted(exchange: Exchange) -> None:
    phone = await greeted(exchange)
    await phone.hang_up()
    await phone.caller.drop("reset")
    await phone.caller.press("1")
    assert phone.timeline.count(Kind.NOTE) == 1
    assert phone.timeline.count(Kind.KEY_LOST) == 1


@pytest.mark.parametrize("name", faults.NAMES)
def test_every_name_is_read_back(name: str) -> None:
    fault = faults.parse(name)
    assert faults.parse(faults.name(fault)) == fault
    assert faults.is_drop(fault) is (name not in {"stall", "duplicate-start"})


def test_values_are_read() -> None:
    assert faults.parse("half-open=5s") == faults.HalfOpen(5_000)
    assert faults.parse("redial=200ms") == faults.Redial(200)
    assert faults.parse("stall=1.5") == faults.Stall(1_500)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("explode", "no fault"),
        ("close=1005", "1012"),
        ("reset=3", "takes no value"),
        ("stall=2m", "longer than 60 s"),
        ("stall=soon", "no duration"),
    ],
)
def test_a_wrong_fault_is_one_clear_sentence(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        faults.parse(text)
