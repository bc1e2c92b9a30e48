"""A caller is handed to a human, or leaves a message, and the call ends once: real servers, real audio."""

from pathlib import Path

import pytest

from service.simulator.account import Pace, Terms
from service.simulator.answering import party
from service.simulator.phone import Phone
from service.simulator.timeline import Kind
from tests.acceptance.town import Town

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]

BRISK = Pace(say_ms_per_letter=2, turn_ms=100)
TRANSFER = {"to": "+15550123"}


async def a_call(town: Town, outcome: str, *, message_ms: int = 400) -> Phone:
    terms = Terms(pace=BRISK, party=party(outcome), message_ms=message_ms)
    phone = await town.exchange.call(terms=terms)
    await phone.until(lambda it: it.agent_turns >= 1, "the agent greets")
    return phone


async def on_stream(phone: Phone, number: int) -> None:
    await phone.until(lambda it: it.streams == number and it.is_live, "the stream is there")


async def ended(town: Town, phone: Phone) -> dict[str, list[object]]:
    """Wait for the call's end; return what was written about it."""
    await phone.until(lambda it: it.is_over, "the call is over", timeout_ms=30_000)
    await phone.finished()
    assert phone.warnings == []
    assert phone.timeline.of(Kind.ASK_FAILED) == []
    assert (await town.state(phone))["phase"] == "ended"
    return {
        "dial": [one["outcome"] for one in await town.events(phone, "dial_ended")],
        "message": [one["duration_ms"] for one in await town.events(phone, "voicemail_left")],
        "end": [one["reason"] for one in await town.events(phone, "call_ended")],
    }


async def test_a_transfer_is_answered_or_ends_in_a_message_and_each_is_written_once(
    tmp_path: Path,
) -> None:
    async with Town(tmp_path) as town:
        for outcome, dial, message in (
            ("answered:100ms:400ms", "completed", []),
            ("busy:100ms", "busy", [1_000]),
            ("no-answer:100ms", "no-answer", [1_000]),
            ("failed:0s", "failed", [1_000]),
        ):
            phone = await a_call(town, outcome)
            assert await town.ask(phone, "transfer", TRANSFER) == 202
            written = await ended(town, phone)
            assert written == {"dial": [dial], "message": message, "end": ["transferred"]}
            assert phone.course.ended_by == "the document hung up"


async def test_a_caller_who_hangs_up_into_the_voicemail_has_left_it_and_silence_is_none(
    tmp_path: Path,
) -> None:
    async with Town(tmp_path) as town:
        phone = await a_call(town, "busy:0s", message_ms=60_000)
        assert await town.ask(phone, "transfer", TRANSFER) == 202
        await phone.until(
            lambda it: "beeps and records" in [one.text for one in it.timeline.of(Kind.VERB)],
            "the beep is heard",
        )
        await phone.hang_up()
        written = await ended(town, phone)
        assert (written["dial"], written["message"]) == (["busy"], [1_000])
        phone = await a_call(town, "busy:0s", message_ms=0)
        assert await town.ask(phone, "transfer", TRANSFER) == 202
        written = await ended(town, phone)
        assert (written["dial"], written["message"]) == (["busy"], [])


async def test_too_many_drops_lead_to_a_human_from_whom_nobody_pulls_the_caller_back(
    tmp_path: Path,
) -> None:
    async with Town(tmp_path, TRANSFER_TO="+15550199", DROP_LIMIT="1/60") as town:
        # Longer than a server waits before it asks the carrier for a call that does not come back.
        phone = await a_call(town, "answered:100ms:10s")
        for number in (1, 2):
            await on_stream(phone, number)
            await phone.caller.drop("reset")
        written = await ended(town, phone)
        assert written == {"dial": ["completed"], "message": [], "end": ["drop_limit"]}
        assert phone.timeline.of(Kind.ORDER) == []
        assert phone.streams == 2
