from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service.call import events as e
from service.call.folds.fold import fold_all
from service.call.place import Place
from service.call.state import Call
from service.errors import SealBroken
from service.journal.journal import Journal
from service.journal.stores import connect
from service.journal.values import Missing, Reading
from service.session.kept.erasing import About, found

NOW_MS = 1_790_000_000_000


def opened(**changes: object) -> e.CallOpened:
    told: dict[str, object] = {"call_sid": "CA1", "from_number": "+447700900123", **changes}
    return e.CallOpened(**told)  # type: ignore[arg-type] # the keywords are the fields


def call(**changes: object) -> Call:
    return fold_all(Call(), [(opened(**changes), Place(1, 0, NOW_MS))])


def test_a_number_is_the_other_sides() -> None:
    about = About("default", number="+44 7700-900123")
    assert about.fits(call())
    assert about.fits(call(direction="outbound-api", from_number="+1", to_number="+447700900123"))
    assert not about.fits(call(from_number="+1", to_number="+447700900123"))
    assert not about.fits(call(tenant="acme"))


def test_a_ticket_is_meant_whole() -> None:
    ticketed = call(parameters={"ticket_id": "TKT-1234"})
    for ticket in ("TKT-1234", "tkt 1234", "TKT1234"):
        assert About("default", ticket=ticket).fits(ticketed)
    for ticket in ("1234", "TKT-123", "-", ""):
        assert not About("default", ticket=ticket).fits(ticketed)
    assert not About("default", ticket="-").fits(call())


@pytest_asyncio.fixture
async def journal() -> AsyncIterator[Journal]:
    journal = connect("sqlite://:memory:", ttl_ms=60_000)
    await journal.start()
    yield journal
    await journal.close()


@pytest.mark.asyncio
async def test_every_journal_is_looked_into(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        fact = opened(call_sid=f"CA{n}", from_number="+1" if n == 1 else "+447700900123")
        await journal.open(f"CA{n}", [e.encode(fact)], now_ms=NOW_MS)
    read = journal.read

    async def reading(call_sid: str, *, after: int = 0) -> Reading | Missing:
        if call_sid == "CA2":
            raise SealBroken("its key is gone")
        return Missing() if call_sid == "CA3" else await read(call_sid, after=after)

    monkeypatch.setattr(journal, "read", reading)
    looked = await found(journal, About("default", number="+447700900123"))
    assert [headline.call_sid for headline, _ in looked.calls] == ["CA0"]
    assert looked.unreadable == 1
