import pytest

from service.call import events as e, inputs as i
from service.errors import StoreError
from service.journal.values import Appended
from service.session.kept.ledger import Ledger
from service.session.scribe import DECIDE_MAX, Scribe
from tests.session.house import CALL, House

pytestmark = pytest.mark.asyncio


class Desk:
    """A scribe with a ledger of its own, and what it did."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.ledger = Ledger(CALL, house.journal, "here")
        self.effects: list[i.Effect] = []
        self.has_let_go = False
        self.scribe = Scribe(house.means, self.ledger, self.effects.append, self._let_go)

    def _let_go(self) -> None:
        self.has_let_go = True

    async def open(self) -> None:
        opened = e.encode(e.CallOpened(call_sid=CALL))
        await self.ledger.claim([opened], self.house.clock.now_ms())
        await self.scribe.take(i.Attached(stream_sid="MZ1", door="voice", server="s", gap_ms=0))


async def test_what_happened_is_written_and_then_done(house: House) -> None:
    desk = Desk(house)
    await desk.open()
    await house.write(e.DigitsRequested(request="r1", digits="1"))
    assert await desk.ledger.catch_up()
    assert await desk.scribe.take(i.Settle())
    assert desk.effects == [i.PlayDigits("r1", "1")]
    assert "RestartPlanned" in await house.kinds()


async def test_what_changes_nothing_is_not_written(house: House) -> None:
    desk = Desk(house)
    await desk.open()
    before = await house.kinds()
    assert not await desk.scribe.take(i.PartlyHeard(""))
    assert await house.kinds() == before


async def test_what_others_wrote_meanwhile_is_decided_on_too(house: House) -> None:
    desk = Desk(house)
    await desk.open()
    await house.write(e.NoteAdded(text="VIP"))
    assert await desk.scribe.take(i.SpeechBegan())
    assert (await house.kinds())[-2:] == ["NoteAdded", "CallerBegan"]


async def test_what_follows_from_a_state_that_others_changed_is_asked_anew(house: House) -> None:
    """What was told of the old one, such as how far our words had got, may say nothing of the new one."""
    desk = Desk(house)
    await desk.open()
    await house.write(e.DigitsRequested(request="r1", digits="1"))
    assert await desk.ledger.catch_up()
    await house.write(e.NoteAdded(text="VIP"), key="another")
    assert await desk.scribe.take(i.Settle())
    assert not desk.effects
    assert (await house.kinds())[-1] == "NoteAdded"
    assert await desk.scribe.take(i.Settle())
    assert desk.effects == [i.PlayDigits("r1", "1")]


async def test_a_call_that_another_one_took_is_let_go(house: House) -> None:
    desk = Desk(house)
    await desk.open()
    await Ledger(CALL, house.journal, "elsewhere").claim([], house.clock.now_ms())
    assert not await desk.scribe.take(i.SpeechBegan())
    assert desk.has_let_go


async def test_nothing_is_done_of_what_could_not_be_written(house: House) -> None:
    desk = Desk(house)
    await desk.open()
    await house.write(e.DigitsRequested(request="r1", digits="1"))
    assert await desk.ledger.catch_up()
    await Ledger(CALL, house.journal, "elsewhere").claim([], house.clock.now_ms())
    assert not await desk.scribe.take(i.Settle())
    assert desk.has_let_go
    assert not desk.effects


async def test_what_is_done_stands_in_the_state_before(house: House) -> None:
    desk = Desk(house)
    planned: list[str | None] = []
    desk.scribe = Scribe(
        house.means,
        desk.ledger,
        lambda _effect: planned.append(desk.ledger.call.planned_cause),
        desk._let_go,
    )
    await desk.open()
    await house.write(e.DigitsRequested(request="r1", digits="1"))
    assert await desk.ledger.catch_up()
    assert await desk.scribe.take(i.Settle())
    assert planned == ["dtmf"]


async def test_writers_without_end_are_a_fault(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(house)
    await desk.open()
    append = house.journal.append
    tries = 0

    async def overtaken(*args: object, **named: object) -> object:
        nonlocal tries
        tries += 1
        await append(
            CALL,
            [e.encode(e.NoteAdded(text="x"))],
            epoch=None,
            after=None,
            key=f"{tries}",
            now_ms=1,
        )
        outcome = await append(*args, **named)  # type: ignore[arg-type] # passed on as it came
        assert not isinstance(outcome, Appended)
        return outcome

    monkeypatch.setattr(house.journal, "append", overtaken)
    with pytest.raises(StoreError, match="others wrote"):
        await desk.scribe.take(i.SpeechBegan())
    assert tries == DECIDE_MAX
