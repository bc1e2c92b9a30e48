import pytest

from service.call import events as e
from service.errors import Refused, StoreUnavailable
from service.web.reading.cards import Cards, Search, search
from service.web.reading.showing import Showings
from tests.web.front import CALL, Front, ring

pytestmark = pytest.mark.asyncio
OURS = Search("default")


def cards(front: Front) -> Cards:
    return Cards(front.journal, Showings(front.journal))


def sids(kept: Cards, wanted: Search = OURS) -> list[str]:
    return [one.call_sid for one in kept.found(wanted)]


async def test_calls_are_found_oldest_first_by_tenant_phase_and_words(front: Front) -> None:
    for number in (1, 2):
        await front.hook("/twiml/voice", ring(CallSid=f"CA{number}", From=f"+1555000{number}"))
    await front.hook("/callbacks/call", ring(CallSid="CA2", CallStatus="completed"))
    kept = cards(front)
    assert sids(kept) == []
    await kept.look()
    assert sids(kept) == ["CA1", "CA2"]
    assert sids(kept, search("default", "ended", "")) == ["CA2"]
    assert sids(kept, search("default", None, "ca1 +15550001")) == ["CA1"]
    assert sids(kept, search("default", None, "CA1 nobody")) == []
    assert sids(kept, Search("another tenant")) == []


async def test_only_what_moved_is_read_again(front: Front) -> None:
    for sid in ("CA1", CALL):
        await front.hook("/twiml/voice", ring(CallSid=sid))
    kept = cards(front)
    await kept.look()
    before = {one.call_sid: one for one in kept.found(OURS)}
    await front.write(e.NoteAdded(text="x"))
    await kept.look()
    after = {one.call_sid: one for one in kept.found(OURS)}
    assert after["CA1"] is before["CA1"]
    assert after[CALL].version[1] == before[CALL].version[1] + 1
    await front.journal.erase(CALL)
    await kept.look()
    assert sids(kept) == ["CA1"]


async def test_a_search_has_limits() -> None:
    for phase, text in (("asleep", ""), (None, "x " * 21), (None, "x" * 501)):
        with pytest.raises(Refused) as refused:
            search("default", phase, text)
        assert refused.value.status == 400


async def test_while_the_store_is_away_a_glance_shows_what_is_held_here(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sid in ("CA1", "CA2", CALL):
        await front.hook("/twiml/voice", ring(CallSid=sid))
    await front.hook("/callbacks/call", ring(CallSid="CA1", CallStatus="completed"))
    showings = Showings(front.journal)
    kept = Cards(front.journal, showings)
    await kept.look()
    await front.write(e.NoteAdded(text="x"))
    await front.journal.erase("CA2")

    async def away() -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(front.journal, "open_calls", away)
    await kept.glance()
    assert {one.call_sid: one.version[1] for one in kept.found(OURS)} == {
        "CA1": 2,
        "CA2": 1,
        CALL: 2,
    }
    with pytest.raises(StoreUnavailable):
        await kept.look()
    monkeypatch.setattr(showings, "of", lambda _sid: away())
    await kept.glance()
    assert len(kept.found(OURS)) == 3
