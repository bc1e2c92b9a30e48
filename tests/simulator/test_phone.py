import pytest

from service.simulator.account import Pace, Terms
from service.simulator.exchange.exchange import Exchange
from service.simulator.timeline import Kind
from tests.simulator.talker import GREETING, Talker, tone

pytestmark = pytest.mark.asyncio


async def test_a_call_is_answered_and_the_agent_is_heard(
    exchange: Exchange, talker: Talker
) -> None:
    phone = await exchange.call()
    await phone.until(lambda it: it.agent_turns == 1 and not it.agent_speaks, "the agent greets")
    assert GREETING in phone.caller.hear()
    assert phone.warnings == []
    await phone.hang_up()
    assert phone.status == "completed"
    assert talker.streams[0].of("stop")


async def test_the_caller_is_heard_and_answered(exchange: Exchange, talker: Talker) -> None:
    phone = await exchange.call()
    await phone.until(lambda it: it.agent_turns == 1 and not it.agent_speaks, "the agent greets")
    said = tone(300, 300)
    phone.caller.say(said)
    await phone.until(lambda it: it.agent_turns == 2, "the agent answers")
    assert said[:160] in b"".join(talker.streams[0].frames)
    assert phone.timeline.count(Kind.CALLER_STOPPED) == 1


async def test_a_wait_in_vain_tells_the_story(exchange: Exchange) -> None:
    phone = await exchange.call()
    with pytest.raises(TimeoutError, match="pigs fly") as failed:
        await phone.until(lambda _: False, "pigs fly", timeout_ms=50)
    assert "rang CA" in str(failed.value)


async def test_keys_reach_the_service_one_by_one(exchange: Exchange, talker: Talker) -> None:
    phone = await exchange.call()
    await phone.until(lambda it: it.is_live, "the stream is there")
    await phone.caller.press("1#")
    await phone.until(lambda _: len(talker.streams[0].of("dtmf")) == 2, "both keys arrive")
    assert [m["dtmf"]["digit"] for m in talker.streams[0].of("dtmf")] == ["1", "#"]
    with pytest.raises(ValueError, match="no key"):
        await phone.caller.press("x")


async def test_a_caller_may_stop_in_the_middle_of_a_word(exchange: Exchange) -> None:
    phone = await exchange.call()
    await phone.until(lambda it: it.is_live, "the stream is there")
    utterance = phone.caller.say(tone(5_000))
    phone.caller.hush()
    assert phone.caller.utterances[-1:] != [utterance]


async def test_a_gap_between_two_streams_ends_the_agents_stretch(exchange: Exchange) -> None:
    phone = await exchange.call(terms=Terms(pace=Pace(turn_ms=450)))
    await phone.until(lambda it: it.agent_speaks, "the agent greets")
    await phone.caller.drop("reset")
    await phone.until(lambda it: it.agent_turns == 2, "the agent speaks again")
    assert phone.ear.stretches[0].end_ms - phone.ear.stretches[0].start_ms <= 220


async def test_nothing_was_heard_before_the_first_stream(exchange: Exchange) -> None:
    phone = await exchange.call()
    assert phone.caller.hear() == b""


async def test_a_fault_of_the_stand_in_itself_is_raised_and_not_waited_for(
    exchange: Exchange,
) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    phone = await exchange.call()
    phone.spawn(fail())
    with pytest.raises(ZeroDivisionError):
        await phone.until(lambda _: False, "nothing")
