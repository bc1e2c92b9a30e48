"""A caller's stream is cut at every moment that matters, and the conversation goes on.

Real servers, real sockets, real speech both ways; the far end is the simulator.
"""

import asyncio
from pathlib import Path

import pytest

from service.simulator.phone import Phone
from service.simulator.timeline import Kind
from tests.acceptance.town import Json, Town, audio

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]

FAULTS = ("reset", "close=1012", "eof", "half-open=4s", "late-stop", "redial", "double-webhook")


async def spoken_for(phone: Phone, turn: int, duration_ms: int) -> None:
    """Wait until the agent's `turn`th stretch of speech has lasted this long."""
    await phone.until(
        lambda it: (
            it.agent_turns >= turn
            and it.now_ms() - it.ear.stretches[turn - 1].start_ms >= duration_ms
        ),
        f"the agent speaks, stretch {turn}",
        timeout_ms=20_000,
    )


async def back(phone: Phone, streams: int = 2) -> None:
    await phone.until(lambda it: it.streams >= streams and it.is_live, "the stream comes back")


async def all_heard(town: Town, phone: Phone) -> None:
    """Wait until the caller has heard every word that was meant for them."""
    await town.until(phone, heard_everything, "everything is heard")


async def quiet(phone: Phone, for_ms: int = 1_000) -> None:
    """Wait until the agent has nothing more to say."""
    await phone.until(
        lambda it: it.agent_turns > 0 and it.ear.quiet_ms(it.now_ms()) >= for_ms,
        "the agent falls silent",
        timeout_ms=30_000,
    )


async def kept_the_promise(town: Town, phone: Phone) -> Json:
    """What holds after every drop: one greeting, no stale frame, a clean wire, a call that goes on."""
    assert phone.warnings == []
    assert phone.timeline.count(Kind.STALE_AUDIO) == 0, phone.story()
    assert not phone.is_over, phone.story()
    assert len(await town.events(phone, "greeted")) == 1
    state = await town.state(phone)
    assert state["phase"] == "live"
    return state


def ours(state: Json) -> list[Json]:
    return [line for line in state["transcript"] if line["who"] == "agent"]


def heard_everything(state: Json) -> bool:
    return bool(ours(state)) and all(line["heard"] == line["text"] for line in ours(state))


async def test_a_greeting_cut_by_any_fault_goes_on_and_is_not_said_twice(tmp_path: Path) -> None:
    async with Town(tmp_path) as town:

        async def cut_by(fault: str) -> None:
            phone = await town.call()
            await spoken_for(phone, 1, 800)
            await phone.caller.drop(fault)
            await back(phone)
            await all_heard(town, phone)
            state = await kept_the_promise(town, phone)
            assert state["streams"][-1]["cause"] in ("drop", "duplicate", "deploy"), fault
            await phone.hang_up()

        async with asyncio.TaskGroup() as calls:
            for fault in FAULTS:
                calls.create_task(cut_by(fault))


async def test_a_sentence_of_ours_goes_on_with_the_clause_that_was_cut(tmp_path: Path) -> None:
    async with Town(tmp_path) as town:
        phone = await town.call()
        await quiet(phone)
        turns = phone.agent_turns
        phone.caller.say(audio("caller_sarah_name"))
        await spoken_for(phone, turns + 1, 500)
        await phone.caller.drop("reset")
        await back(phone)
        await all_heard(town, phone)
        state = await kept_the_promise(town, phone)
        assert state["fields"]["name"]["value"].startswith("Sarah")
        assert len(await town.events(phone, "agent_spoke")) == 3


async def test_half_an_utterance_is_kept_and_the_lost_part_is_asked_for(tmp_path: Path) -> None:
    async with Town(tmp_path) as town:
        phone = await town.call()
        await quiet(phone)
        phone.caller.say(audio("caller_sarah_long"))
        await phone.until(lambda it: it.timeline.count(Kind.CALLER_BEGAN) == 1, "the caller speaks")
        await town.until_state(phone, "phase", "live")
        began = phone.timeline.of(Kind.CALLER_BEGAN)[0].at_ms
        await phone.until(lambda it: it.now_ms() - began >= 2_500, "half the sentence is said")
        turns = phone.agent_turns
        await phone.caller.drop("reset")
        phone.caller.hush()
        await back(phone)
        await spoken_for(phone, turns + 1, 200)
        await all_heard(town, phone)
        state = await kept_the_promise(town, phone)
        halves = [one for one in await town.events(phone, "caller_spoke") if one["partial"]]
        assert len(halves) == 1
        assert len(halves[0]["text"].split()) >= 3
        assert "say that last part again" in [*ours(state)][-1]["text"]


async def test_a_drop_in_silence_is_passed_over_in_silence(tmp_path: Path) -> None:
    async with Town(tmp_path) as town:
        phone = await town.call()
        await quiet(phone)
        turns = phone.agent_turns
        await phone.caller.drop("reset")
        await back(phone)
        await quiet(phone, 2_500)
        assert phone.agent_turns == turns
        phone.caller.say(audio("caller_sarah_name"))
        await town.until_state(phone, "fields.name.value", "Sarah Johnson")
        await kept_the_promise(town, phone)


async def test_half_typed_digits_stand(tmp_path: Path) -> None:
    async with Town(tmp_path) as town:
        phone = await town.call()
        await quiet(phone)
        await phone.caller.press("12")
        await town.until_state(phone, "digits_pending", "12")
        await phone.caller.drop("reset")
        await back(phone)
        assert (await town.state(phone))["digits_pending"] == "12"
        await phone.caller.press("34#")
        await town.until_state(phone, "digits_pending", "")
        assert [one["digits"] for one in await town.events(phone, "digits_entered")] == ["1234"]
        assert len(await town.events(phone, "digit_pressed")) == 5
        await kept_the_promise(town, phone)


async def test_sending_digits_restarts_the_stream_and_the_talk_goes_on(tmp_path: Path) -> None:
    async with Town(tmp_path) as town:
        phone = await town.call()
        await spoken_for(phone, 1, 800)
        assert await town.ask(phone, "digits", {"digits": "1w2"}) == 202
        await phone.until(lambda it: it.timeline.count(Kind.DIGITS_SENT) == 1, "the digits sound")
        await back(phone)
        await all_heard(town, phone)
        state = await kept_the_promise(town, phone)
        assert state["streams"][1]["cause"] == "dtmf"
        sent = await town.events(phone, "digits_sent")
        assert [one["outcome"] for one in sent] == ["sent"]


async def test_an_untold_call_ends_when_the_caller_hangs_up(tmp_path: Path) -> None:
    async with Town(tmp_path) as town:
        phone = await town.call()
        await phone.hang_up()
        await town.until_state(phone, "phase", "ended")
        assert len(await town.events(phone, "call_ended")) == 1
