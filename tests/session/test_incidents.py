"""Each kind of context loss, provoked in a whole session: counted once, and seen in every place."""

import pytest

from service.call.acts import Ask, Confirm, Fill
from service.call.events import decode
from service.call.place import Place
from service.call.shown.incidents import KINDS
from service.call.shown.timeline import Timeline
from service.journal.journal import Journal
from service.journal.values import Missing
from tests.conftest import wait_until
from tests.session.house import CALL, House
from tests.sight.seen import Kept

GREETING = "Hello and welcome to our support line, dear caller."

pytestmark = pytest.mark.asyncio


def counted(house: House) -> dict[str, float]:
    name = "stayline_context_losses_total"
    return {kind: house.meter.value(name, kind=kind) for kind in KINDS}


async def shown(journal: Journal) -> list[str]:
    """What the console shows of the call."""
    reading = await journal.read(CALL)
    assert not isinstance(reading, Missing)
    timeline = Timeline()
    for record in reading.records:
        place = Place(record.position, record.epoch, record.at_ms)
        timeline.add(decode(record.body), place)
    return [one["kind"] for one in timeline.shown()["incidents"]]


async def expect(house: House, traces: Kept, kind: str, log: str) -> None:
    """The incident is in each place, once, and no other is."""
    await wait_until(lambda: counted(house)[kind] > 0, description=f"{kind} is counted")
    assert counted(house) == {one: float(one == kind) for one in KINDS}
    assert await shown(house.journal) == [kind]
    assert log.count("! context lost: ") == log.count(f"! context lost: {kind}") == 1
    (span,) = traces.named("context_loss")
    assert span.attributes["stayline.context_loss.kind"] == kind


async def test_a_caller_who_says_they_told_it_already(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(journal, traces=(traces := Kept()))
    caller = await house.connect()
    await caller.is_told(GREETING)
    house.speech.transcripts.append("I already told you that.")
    caller.says()
    await expect(house, traces, "told_already", caplog.text)
    assert "told you" not in caplog.text
    await house.close()


async def test_a_question_asked_again_that_was_answered(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(journal, traces=(traces := Kept()))
    first = Ask("What is your name, please?", "name")
    house.agent.script.extend([[Fill("name", "Ada"), Confirm("name")], [first]])
    caller = await house.connect()
    await caller.is_told(GREETING)
    house.speech.transcripts.extend(["It is Ada.", "Well then."])
    caller.says()
    await wait_until(lambda: "name" in caller.call.fields, description="the name is known")
    await caller.has_dropped()
    caller = await house.returns()
    caller.says()
    await expect(house, traces, "asked_again", caplog.text)
    assert "Ada" not in caplog.text
    await house.close()


async def test_a_known_call_whose_state_is_missing(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(journal, traces=(traces := Kept()))
    await house.returns()
    await expect(house, traces, "state_missing", caplog.text)
    assert house.meter.value("stayline_restores_total", source="nowhere") == 1
    await house.close()
