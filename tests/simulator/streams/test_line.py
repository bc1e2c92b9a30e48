import itertools

import pytest

from service.simulator.account import Terms
from service.simulator.exchange.exchange import Exchange
from service.simulator.timeline import Kind
from tests.simulator.conftest import QUICK
from tests.simulator.talker import Talker

pytestmark = pytest.mark.asyncio


async def test_frames_come_fifty_times_a_second_without_drift(
    exchange: Exchange, talker: Talker
) -> None:
    phone = await exchange.call()
    await phone.until(lambda it: it.is_live, "the stream is there")
    await phone.until(lambda _: len(talker.streams[0].frames) >= 50, "a second of frames comes")
    elapsed_ms = phone.now_ms() - phone.lines[0].started_ms
    assert elapsed_ms >= 980
    assert abs(len(talker.streams[0].frames) - elapsed_ms // 20) <= 10
    assert {len(frame) for frame in talker.streams[0].frames} == {160}
    chunks = [int(message["media"]["chunk"]) for message in talker.streams[0].of("media")]
    assert all(after == before + 1 for before, after in itertools.pairwise(chunks))


async def test_marks_come_back_when_their_audio_has_played(
    exchange: Exchange, talker: Talker
) -> None:
    phone = await exchange.call()
    await phone.until(lambda _: bool(talker.streams) and bool(talker.streams[0].of("mark")), "echo")
    assert talker.streams[0].of("mark")[0]["mark"] == {"name": "said"}
    assert phone.now_ms() - phone.lines[0].started_ms >= 200


async def test_a_carrier_without_echoes_sends_none(exchange: Exchange, talker: Talker) -> None:
    phone = await exchange.call(terms=Terms(pace=QUICK, echoes=False))
    await phone.until(lambda it: it.agent_turns == 1 and not it.agent_speaks, "the agent greets")
    assert not talker.streams[0].of("mark")


@pytest.mark.parametrize(
    ("text", "code"),
    [("no json", 31951), ('{"event":"media","streamSid":"MZ0","media":{"payload":"AA=="}}', 31951)],
)
async def test_what_breaks_the_protocol_is_a_warning(
    exchange: Exchange, talker: Talker, text: str, code: int
) -> None:
    talker.bad_text = text
    phone = await exchange.call()
    await phone.until(lambda it: bool(it.warnings), "the carrier complains")
    assert phone.timeline.of(Kind.WARNING)[0].value == code
    assert phone.is_live


async def test_audio_on_a_stream_that_was_replaced_is_stale(
    exchange: Exchange, talker: Talker
) -> None:
    phone = await exchange.call(terms=Terms(pace=QUICK.__class__(late_ms=3_000)))
    await phone.until(lambda it: it.is_live, "the stream is there")
    await phone.caller.drop("late-stop")
    await phone.until(lambda it: it.streams == 2 and it.is_live, "the stream comes back")
    second = phone.lines[1]
    await phone.until(lambda it: it.now_ms() > second.started_ms + 1_050, "the grace is over")
    await talker.speak_on(0)
    await phone.until(lambda it: it.timeline.count(Kind.STALE_AUDIO) == 1, "it is noted")


async def test_a_clear_silences_the_agent_for_the_caller(
    exchange: Exchange, talker: Talker
) -> None:
    phone = await exchange.call()
    await phone.until(lambda it: it.agent_speaks, "the agent speaks")
    await talker.clear_on(0)
    await phone.until(lambda it: it.timeline.count(Kind.CLEAR) == 1, "the clear arrives")
    await phone.until(lambda it: it.timeline.count(Kind.AGENT_STOPPED) == 1, "the agent is silent")
    assert phone.timeline.of(Kind.AGENT_STOPPED)[0].value < 300
