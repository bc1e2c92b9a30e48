import pytest

from service.call.acts import Say, UseTool
from service.call.state import Call, Operation, Turn
from service.testing.talker import BOOKED, GREETING, NOTED, REMARK, TOOL, UNSURE, Talker

pytestmark = pytest.mark.asyncio


async def acts(talker: Talker, turn: Turn, call: Call | None = None) -> list[object]:
    return [act async for act in talker.reply(call or Call(), turn)]


def booked(status: str) -> Operation:
    return Operation(
        operation="o1",
        tool=TOOL,
        arguments={"code": "017"},
        turn=1,
        is_idempotent=False,
        attempts_max=1,
        deadline_ms=0,
        status=status,  # type: ignore[arg-type]
    )


async def test_it_greets_and_tells_a_story_when_one_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert await acts(Talker(), Turn(1, "opening")) == [Say(GREETING)]
    monkeypatch.setenv("FLEET_STORY", "2")
    assert len(await acts(Talker(), Turn(1, "opening"))) == 2
    assert await acts(Talker(), Turn(1, "silence")) == []


async def test_it_notes_codes_and_books_those_that_end_in_a_seven(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TOOLS", raising=False)
    assert await acts(Talker(), Turn(1, "keys", "017")) == [Say(f"{NOTED} 017.")]
    monkeypatch.setenv("TOOLS", "tools.json")
    found = await acts(Talker(), Turn(1, "keys", "017"))
    assert found == [Say(f"{NOTED} 017."), UseTool(TOOL, {"code": "017"})]
    assert len(await acts(Talker(), Turn(1, "keys", "018"))) == 1


async def test_it_remarks_on_a_code_when_that_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_REMARK", "1")
    found = await acts(Talker(), Turn(1, "keys", "018"))
    assert found == [Say(f"{NOTED} 018."), Say(REMARK.format("018"))]


@pytest.mark.parametrize(("status", "word"), [("succeeded", BOOKED), ("unknown", UNSURE)])
async def test_it_tells_how_a_booking_ended(status: str, word: str) -> None:
    turn = Turn(2, "operation", operations=("o1",))
    call = Call(operations=(booked(status),))
    assert await acts(Talker(), turn, call) == [Say(f"{word} 017.")]
