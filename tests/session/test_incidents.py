"""Each kind of context loss, provoked in a whole session: counted once, and seen in every place."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

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


@pytest.fixture
def traces() -> Kept:
    return Kept()


@pytest_asyncio.fixture
async def watched(journal: Journal, traces: Kept) -> AsyncIterator[House]:
    opened = House(journal, traces=traces)
    yield opened
    await opened.close()


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


async def expect(house: House, traces: Kept, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """The incident is in each place, once, and no other is."""
    await wait_until(lambda: counted(house)[kind] > 0, description=f"{kind} is counted")
    assert counted(house) == {one: float(one == kind) for one in KINDS}
    assert await shown(house.journal) == [kind]
    log = caplog.text
    assert log.count("! context lost: ") == log.count(f"! context lost: {kind}") == 1
    (span,) = traces.named("context_loss")
    assert span.attributes["stayline.context_loss.kind"] == kind


async def test_a_caller_who_says_they_told_it_already(
    watched: House, traces: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    caller = await watched.connect()
    await caller.is_told(GREETING)
    watched.speech.transcripts.append("I already told you that.")
    caller.says()
    await expect(watched, traces, "told_already", caplog)
    assert "told you" not in caplog.text


async def test_a_question_asked_again_that_was_answered(
    watched: House, traces: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    first = Ask("What is your name, please?", "name")
    watched.agent.script.extend([[Fill("name", "Ada"), Confirm("name")], [first]])
    caller = await watched.connect()
    await caller.is_told(GREETING)
    watched.speech.transcripts.extend(["It is Ada.", "Well then."])
    caller.says()
    await wait_until(lambda: "name" in caller.call.fields, description="the name is known")
    await caller.has_dropped()
    caller = await watched.returns()
    caller.says()
    await expect(watched, traces, "asked_again", caplog)
    assert "Ada" not in caplog.text


async def test_a_known_call_whose_state_is_missing(
    watched: House, traces: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    await watched.returns()
    await expect(watched, traces, "state_missing", caplog)
    assert watched.meter.value("stayline_restores_total", source="nowhere") == 1
