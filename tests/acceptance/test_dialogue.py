"""The whole support dialogue in real speech, with a cut in every part of it."""

import json
from pathlib import Path

import pytest

from service.simulator.timeline import Kind
from tests.acceptance.test_drops import all_heard, back, kept_the_promise, quiet, spoken_for
from tests.acceptance.town import Town, audio

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(240)]


async def test_an_unknown_caller_is_taken_in_through_five_cuts(tmp_path: Path) -> None:
    async with Town(tmp_path) as town:
        phone = await town.call()
        await spoken_for(phone, 1, 900)
        await phone.caller.drop("reset")
        await back(phone, 2)
        await all_heard(town, phone)
        for number, (utterance, field) in enumerate(
            (
                ("name", "name"),
                ("company", "company"),
                ("ticket", "ticket_id"),
                ("problem", "problem"),
            )
        ):
            await quiet(phone)
            turns = phone.agent_turns
            phone.caller.say(audio(f"caller_sarah_{utterance}"))
            await spoken_for(phone, turns + 1, 400)
            assert field in (await town.state(phone))["fields"], phone.story()
            await phone.caller.drop("close=1012")
            await back(phone, 3 + number)
            await all_heard(town, phone)
        await quiet(phone)
        state = await kept_the_promise(town, phone)
        told = {name: one["value"] for name, one in state["fields"].items()}
        problem = told.pop("problem")
        assert problem.startswith("The printer stopped working this morning")
        assert told == expected()
        phone.caller.say(audio("caller_sarah_yes"))
        await phone.until(lambda it: it.is_over, "we hang up", timeout_ms=30_000)
        state = await town.state(phone)
        assert state["phase"] == "ended"
        assert all(one["confirmed"] for one in state["fields"].values())
        farewell = state["transcript"][-1]
        assert farewell["heard"] == farewell["text"]
        assert phone.timeline.count(Kind.STALE_AUDIO) == 0
        assert phone.warnings == []


def expected() -> dict[str, str]:
    """What the form must hold: the words of the manifest, read by the form's own rules."""
    manifest = json.loads((Path("fixtures/audio") / "manifest.json").read_text())
    entries = manifest["files"] if isinstance(manifest, dict) else manifest
    says = {one["file"]: one["says"] for one in entries}
    return {
        "name": "Sarah Johnson",
        "company": says["caller_sarah_company.ulaw"].split("from ")[-1].rstrip("."),
        "ticket_id": "TKT-1234",
    }
