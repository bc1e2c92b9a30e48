"""A sentence is spoken exactly through a gap: with GAP_EAR it arrives whole, and nobody asks for it again."""

from pathlib import Path

import pytest

from service.call.decisions.resume import INTERRUPTED_LINE
from service.simulator.phone import Phone
from service.simulator.timeline import Kind
from tests.acceptance.test_drops import back, kept_the_promise, quiet
from tests.acceptance.town import Json, Town, audio
from tests.conftest import wait_until

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]

SENTENCE = audio("caller_sarah_long")
FIRST_WORDS = "to restart the printer twice"  # "we tried" is heard as "we try", uncut as well
LAST_WORDS = "comes back after about ten seconds"
LATE_MS = 100  # of a fork's audio when the stream comes back: two frames, and a slow machine


async def speaking(town: Town, into_ms: int) -> Phone:
    """Return a call whose caller is so far into the sentence."""
    phone = await town.call()
    await quiet(phone)
    phone.caller.say(SENTENCE)
    await phone.until(lambda it: it.timeline.count(Kind.CALLER_BEGAN) == 1, "the caller speaks")
    began_ms = phone.timeline.of(Kind.CALLER_BEGAN)[0].at_ms
    await phone.until(lambda it: it.now_ms() - began_ms >= into_ms, "some of it is said")
    return phone


def understood(state: Json) -> bool:
    said = [line["text"].lower() for line in state["transcript"] if line["who"] == "caller"]
    return any(LAST_WORDS in text for text in said)


async def asked_again(town: Town, phone: Phone) -> bool:
    spoken = [
        clause for one in await town.events(phone, "agent_spoke") for clause in one["clauses"]
    ]
    return INTERRUPTED_LINE in " ".join(spoken)


async def whole(town: Town, phone: Phone) -> Json:
    """Wait for the sentence; check that it is one, and that its gap was heard."""
    await town.until(phone, understood, "the end of the sentence is understood")
    state = await kept_the_promise(town, phone)
    spoken = await town.events(phone, "caller_spoke")
    assert len(spoken) == 1, spoken
    assert FIRST_WORDS in spoken[0]["text"].lower()
    assert not spoken[0]["partial"]
    assert not await asked_again(town, phone)
    stream: Json = state["streams"][-1]
    assert stream["gap_ms"] > 500
    assert stream["gap_heard_ms"] >= stream["gap_ms"] - LATE_MS
    return stream


@pytest.mark.parametrize("fault", ["reset", "half-open=5s", "redial", "late-stop"])
async def test_a_sentence_through_a_drop_arrives_whole(tmp_path: Path, fault: str) -> None:
    async with Town(tmp_path, GAP_EAR="true") as town:
        phone = await speaking(town, 2_500)
        await phone.caller.drop(fault)
        await back(phone)
        assert (await whole(town, phone))["cause"] == "drop"
        await phone.until(lambda it: len(it.forks) == 1, "the next ear listens, and no other")
        await phone.hang_up()


async def test_a_sentence_through_a_restart_for_digits_arrives_whole(tmp_path: Path) -> None:
    async with Town(tmp_path, GAP_EAR="true") as town:
        phone = await speaking(town, 2_000)
        assert await town.ask(phone, "digits", {"digits": "1w2"}) == 202
        await back(phone)
        assert (await whole(town, phone))["cause"] == "dtmf"
        await phone.until(lambda it: len(it.forks) == 1, "the next ear listens, and no other")
        ended = [event.text for event in phone.timeline.of(Kind.FORK_ENDED)]
        assert ended == ["ear-1"]
        await phone.hang_up()


async def test_without_the_ear_the_lost_part_is_asked_for(tmp_path: Path) -> None:
    async with Town(tmp_path) as town:
        phone = await speaking(town, 2_500)
        await phone.caller.drop("reset")
        await back(phone)
        await wait_until(lambda: asked_again(town, phone), description="it is asked for")
        state = await kept_the_promise(town, phone)
        assert state["streams"][-1]["gap_heard_ms"] == 0
        assert phone.timeline.count(Kind.FORK_OPENED) == 0
        await phone.hang_up()


async def test_an_ear_that_dies_alone_disturbs_nothing_and_comes_back_with_the_next_document(
    tmp_path: Path,
) -> None:
    async with Town(tmp_path, GAP_EAR="true") as town:
        phone = await town.call()
        await quiet(phone)
        await phone.caller.drop_ear("reset")
        await phone.until(lambda it: it.timeline.count(Kind.FORK_ENDED) == 1, "the ear is gone")
        phone.caller.say(audio("caller_sarah_name"))
        await town.until_state(phone, "fields.name.value", "Sarah Johnson")
        state = await kept_the_promise(town, phone)
        assert len(state["streams"]) == 1
        await phone.caller.drop("reset")
        await back(phone)
        await phone.until(lambda it: len(it.forks) == 1, "the next ear listens")
        await phone.hang_up()
