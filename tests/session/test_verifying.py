from typing import Any

import pytest
from msgspec.structs import replace

from service.call import events as e
from service.call.snapshot import packed
from service.call.state import Call
from service.journal.values import Missing
from service.session import verifying as module
from service.session.kept.records import rebuilt
from service.session.verifying import differing
from tests.conftest import for_a_moment, wait_until
from tests.session.house import CALL, House

GREETING = "Hello and welcome to our support line, dear caller."

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AFTER_MS", 1)
    monkeypatch.setattr(module, "APART_MS", 1)


async def snapshot(house: House, **changes: Any) -> None:
    """Have a caller on one server, and a snapshot of their call with these faults in it."""
    caller = await house.connect()
    await caller.is_told(GREETING)
    await caller.has_dropped()
    reading = await house.journal.read(CALL)
    assert not isinstance(reading, Missing)
    half = rebuilt(None, reading.records[:4])
    body = packed(replace(half, **changes))
    assert await house.journal.snapshot(CALL, epoch=1, position=4, body=body)


async def test_a_state_that_the_records_do_not_give_is_told_once_and_folded_anew(
    house: House, elsewhere: House, caplog: pytest.LogCaptureFixture
) -> None:
    await snapshot(house, stage="nowhere", orphaned=7)
    caller = await elsewhere.returns()
    assert caller.call.stage == "nowhere"
    await wait_until(lambda: caller.call.stage == "", description="it is folded anew")
    (told,) = [one for one in await elsewhere.facts() if isinstance(one, e.StateDiffered)]
    assert (told.server, set(told.names)) == ("elsewhere", {"stage", "orphaned"})
    losses = {"kind": "fold_mismatch"}
    assert elsewhere.meter.value("stayline_context_losses_total", **losses) == 1
    assert elsewhere.meter.value("stayline_restores_total", source="snapshot") == 1
    assert "differs from the records in: stage, orphaned" in caplog.text
    assert "nowhere" not in caplog.text
    caller.presses("5")
    await wait_until(lambda: caller.call.digits_pending == "5", description="the call goes on")
    assert await elsewhere.stored() == caller.call
    await elsewhere.switchboard.close()
    again = House(elsewhere.journal, owner="third")  # It finds a snapshot that is right.
    await again.returns(stream_sid="MZ3")
    await for_a_moment(0.05)
    assert again.meter.value("stayline_restores_total", source="snapshot") == 1
    assert again.meter.value("stayline_context_losses_total", **losses) == 0
    await again.close()


async def test_a_state_that_the_records_give_is_no_news(house: House, elsewhere: House) -> None:
    await snapshot(house)
    await elsewhere.returns()
    await for_a_moment(0.05)
    assert "StateDiffered" not in await elsewhere.kinds()


async def test_a_stream_that_came_only_for_a_moment_is_verified_by_nobody(
    house: House, elsewhere: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AFTER_MS", 60_000)
    await snapshot(house, stage="nowhere")
    await elsewhere.returns()
    await elsewhere.switchboard.close()
    assert "StateDiffered" not in await elsewhere.kinds()


async def test_fields_that_differ_are_named_without_their_values() -> None:
    assert differing(Call(), Call(stage="a", turns=2)) == ("stage", "turns")
    assert differing(Call(), Call()) == ()
