import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from typing_extensions import override

from service.call import events as e
from service.call.snapshot import packed
from service.call.state import Call
from service.errors import StoreError
from service.journal.journal import Journal
from service.journal.values import (
    Durability,
    Full,
    Missing,
    NotDurable,
    Outcome,
    Reading,
    Rebased,
    Snapshot,
)
from service.session.kept import ledger as module
from service.session.kept.ledger import Ledger, Written
from service.session.kept.records import rebuilt
from tests.conftest import wait_until
from tests.session.house import CALL
from tests.session.troubles import FailingJournal

pytestmark = pytest.mark.asyncio

OPENING = (e.encode(e.CallOpened(call_sid=CALL)),)
NOW_MS = 1_700_000_000_000


class Answering(FailingJournal):
    """Answers appends with what it was given first."""

    def __init__(self, journal: Journal, *answers: Outcome) -> None:
        super().__init__(journal)
        self.answers = list(answers)
        self.keys: list[str] = []

    @override
    async def append(self, call_sid: str, bodies: Sequence[bytes], **named: Any) -> Outcome:
        self.keys.append(str(named["key"]))
        if self.answers:
            return self.answers.pop(0)
        return await super().append(call_sid, bodies, **named)


async def claimed(journal: Journal, owner: str = "here", now_ms: int = NOW_MS) -> Ledger:
    ledger = Ledger(CALL, journal, owner)
    await ledger.claim(OPENING, now_ms)
    return ledger


async def test_two_holds_of_one_owner_under_one_epoch_share_no_key(journal: Journal) -> None:
    noting = Answering(journal)
    for hold in (1, 2):
        ledger = Ledger(CALL, noting, "here", hold)
        ledger.epoch = 1  # provisional while the store was away: lost, and claimed again
        await ledger.write([e.NoteAdded(text="x")], NOW_MS)
    assert len(set(noting.keys)) == len(noting.keys) == 2


async def test_a_write_is_folded_and_stands_in_the_journal(journal: Journal) -> None:
    ledger = await claimed(journal)
    assert (
        await ledger.write((e.DigitPressed(digit="1"), e.DigitPressed(digit="2")), NOW_MS)
        is Written.DONE
    )
    assert ledger.call.digits_pending == "12"
    assert ledger.call.position == 3
    reading = await journal.read(CALL)
    assert not isinstance(reading, Missing)
    assert rebuilt(None, reading.records) == ledger.call


async def test_what_others_wrote_is_known_before_we_write(journal: Journal) -> None:
    ledger = await claimed(journal)
    note = e.encode(e.NoteAdded(text="hm"))
    await journal.append(CALL, (note,), epoch=None, after=None, key="n", now_ms=NOW_MS)
    digit = (e.DigitPressed(digit="1"),)
    assert await ledger.write(digit, NOW_MS) is Written.BEHIND
    assert [one.text for one in ledger.call.notes] == ["hm"]
    assert ledger.call.digits_pending == ""
    assert await ledger.write(digit, NOW_MS) is Written.DONE
    assert ledger.call.position == 3


async def test_an_older_owner_writes_nothing(journal: Journal) -> None:
    older, newer = await claimed(journal), await claimed(journal, "there")
    assert await older.write((e.DigitPressed(digit="1"),), NOW_MS) is Written.LOST
    assert not await older.catch_up()
    assert not await older.renew(NOW_MS)
    assert await newer.renew(NOW_MS)
    assert await newer.write((e.DigitPressed(digit="2"),), NOW_MS) is Written.DONE
    assert newer.call.digits_pending == "2"


async def test_an_erased_call_takes_no_write(journal: Journal) -> None:
    ledger = await claimed(journal)
    await journal.erase(CALL)
    assert not await ledger.catch_up()
    assert await ledger.write((e.DigitPressed(digit="1"),), NOW_MS) is Written.LOST


async def test_a_call_that_was_opened_anew_is_another_call(journal: Journal) -> None:
    ledger = await claimed(journal)
    await journal.erase(CALL)
    await claimed(journal, "there", NOW_MS + 1)
    assert not await ledger.catch_up()


class Renamed(FailingJournal):
    """A journal that says of itself that it is another one, or that its records moved."""

    name = ""
    is_moved = False
    tells_all = False

    async def read(self, call_sid: str, *, after: int = 0) -> Reading | Missing:
        reading = await self._journal.read(call_sid, after=0 if self.tells_all else after)
        assert isinstance(reading, Reading)
        return msgspec.structs.replace(reading, incarnation=self.name or reading.incarnation)

    @override
    async def append(self, call_sid: str, bodies: Sequence[bytes], **named: Any) -> Outcome:
        if self.is_moved:
            self.is_moved = False
            return Rebased()
        return await super().append(call_sid, bodies, **named)


async def test_a_journal_of_another_name_with_all_of_ours_is_ours(journal: Journal) -> None:
    """R-4: the store lost something, but nothing of this call."""
    renamed = Renamed(journal)
    ledger = await claimed(renamed)
    note = e.encode(e.NoteAdded(text="hm"))
    await journal.append(CALL, (note,), epoch=None, after=None, key="k", now_ms=NOW_MS)
    renamed.name = "new"
    assert await ledger.catch_up()
    assert (ledger.incarnation, ledger.call.position) == ("new", 2)


async def test_a_call_that_another_server_opened_is_ours_when_the_journal_says_that_it_moved(
    journal: Journal,
) -> None:
    """Its webhook came there and its stream here, in an outage: the store has their opening, and our talk."""
    theirs = (e.encode(e.CallOpened(call_sid=CALL, from_number="+15550100")),)
    await journal.open(CALL, theirs, now_ms=NOW_MS)
    moved = Renamed(journal)
    ledger = await claimed(moved)
    ledger.call = msgspec.structs.replace(ledger.call, from_number="")
    moved.name = "new"
    assert not await ledger.catch_up(), "it may be anybody's"
    moved.tells_all = True
    assert await ledger.catch_up()
    assert (ledger.incarnation, ledger.call.from_number) == ("new", "+15550100")


async def test_records_that_moved_are_folded_anew_before_it_is_decided_again(
    journal: Journal,
) -> None:
    moved = Renamed(journal)
    ledger = await claimed(moved)
    await ledger.write((e.DigitPressed(digit="1"),), NOW_MS)
    ledger.call = msgspec.structs.replace(ledger.call, digits_pending="wrong", position=7)
    moved.is_moved, moved.name = True, "new"
    assert await ledger.write((e.DigitPressed(digit="2"),), NOW_MS) is Written.BEHIND
    assert (ledger.incarnation, ledger.call.digits_pending) == ("new", "1")
    assert await ledger.write((e.DigitPressed(digit="2"),), NOW_MS) is Written.DONE
    assert ledger.call.digits_pending == "12"


async def test_a_write_for_which_there_is_no_room_is_tried_again_with_its_key(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O-6: a store that fails ends no session in the middle of a call."""
    monkeypatch.setattr(module, "AGAIN_MS", 1)
    failing = FailingJournal(journal)
    ledger = await claimed(failing)
    failing.fails.add("append")
    writing = asyncio.create_task(ledger.write((e.DigitPressed(digit="1"),), NOW_MS))
    await asyncio.sleep(0)
    failing.fails.clear()
    assert await writing is Written.DONE
    failing.fails.add("append")
    with pytest.raises(StoreError):
        await ledger.write((e.DigitPressed(digit="2"),), NOW_MS)


async def test_what_others_wrote_before_a_write_is_read_as_soon_as_it_can_be(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_MS", 1)
    failing = FailingJournal(journal)
    ledger = await claimed(failing)
    note = e.encode(e.NoteAdded(text="hm"))
    await journal.append(CALL, (note,), epoch=None, after=None, key="note", now_ms=NOW_MS)
    failing.fails.add("read")
    writing = asyncio.create_task(ledger.write((e.DigitPressed(digit="1"),), NOW_MS))
    await wait_until(lambda: failing.refused > 2, description="it is asked for again and again")
    failing.fails.clear()
    assert await writing is Written.BEHIND
    assert [one.text for one in ledger.call.notes] == ["hm"]


async def test_a_first_claim_of_a_call_that_somebody_had_is_a_claim_all_the_same(
    journal: Journal,
) -> None:
    await claimed(journal, "there")
    ledger = Ledger(CALL, journal, "here")
    assert (await ledger.claim(OPENING, NOW_MS, is_first=True)).epoch == 2


async def test_a_write_that_is_not_durable_is_repeated_with_its_key(journal: Journal) -> None:
    answering = Answering(journal, NotDurable(2), NotDurable(2))
    ledger = await claimed(answering)
    assert await ledger.write((e.DigitPressed(digit="1"),), NOW_MS) is Written.DONE
    assert len(answering.keys) == 3
    assert len(set(answering.keys)) == 1


@pytest.mark.parametrize("answers", [[Full()], [NotDurable(2)] * module.ATTEMPTS_MAX])
async def test_a_journal_that_takes_nothing_is_an_error(
    journal: Journal, answers: list[Outcome]
) -> None:
    ledger = await claimed(Answering(journal, *answers))
    with pytest.raises(StoreError):
        await ledger.write((e.DigitPressed(digit="1"),), NOW_MS)


async def test_a_write_that_had_arrived_before_is_not_folded_twice(journal: Journal) -> None:
    ledger = await claimed(journal)
    body = e.encode(e.DigitPressed(digit="1"))
    await journal.append(CALL, (body,), epoch=1, after=1, key="here:1:0.1", now_ms=NOW_MS)
    assert await ledger.write((e.DigitPressed(digit="1"),), NOW_MS) is Written.DONE
    assert ledger.call.digits_pending == "1"
    assert ledger.call.position == 2


async def test_a_snapshot_and_what_follows_give_the_same_state(journal: Journal) -> None:
    ledger = await claimed(journal)
    for digit in "12345":
        await ledger.write((e.DigitPressed(digit=digit),), NOW_MS)
    reading = await journal.read(CALL)
    assert not isinstance(reading, Missing)
    half = rebuilt(None, reading.records[:3])
    snapshot = Snapshot(3, packed(half))
    assert rebuilt(snapshot, reading.records[3:]) == ledger.call


async def test_a_claim_reads_from_the_snapshot_on(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SNAPSHOT_EVERY", 3)
    ledger = await claimed(journal)
    for digit in "12345":
        await ledger.write((e.DigitPressed(digit=digit),), NOW_MS)
        await ledger.keep_snapshot()
    again = await claimed(journal, "there")
    claim = await Ledger(CALL, journal, "third").claim(OPENING, NOW_MS)
    assert claim.snapshot is not None
    assert len(claim.records) < 6
    assert again.call.digits_pending == "12345"


async def test_of_a_call_that_came_without_a_snapshot_one_is_kept_soon_but_not_at_once(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = await claimed(journal)
    for digit in "1" * 20:
        await ledger.write((e.DigitPressed(digit=digit),), NOW_MS)
    monkeypatch.setattr(module, "SNAPSHOT_EVERY", 20)
    again = await claimed(journal, "there")
    kept = []
    for digit in "23":
        await again.keep_snapshot()
        reading = await journal.read(CALL)
        assert not isinstance(reading, Missing)
        kept.append(reading.snapshot is not None)
        await again.write((e.DigitPressed(digit=digit),), NOW_MS)
    await again.keep_snapshot()
    reading = await journal.read(CALL)
    assert not isinstance(reading, Missing)
    assert kept == [False, False]
    assert reading.snapshot is not None


@pytest.mark.parametrize("body", [b"{}]", b'{"turns": "many"}', b"null", b"\xff"])
async def test_a_snapshot_that_can_not_be_read_is_passed_over(
    journal: Journal, body: bytes
) -> None:
    ledger = await claimed(journal)
    await ledger.write((e.DigitPressed(digit="1"),), NOW_MS)
    await journal.snapshot(CALL, epoch=1, position=2, body=body)
    again = await claimed(journal, "there")
    assert again.call.digits_pending == "1"
    assert isinstance(again.call, Call)


async def test_a_memory_store_says_what_it_is(journal: Journal) -> None:
    assert await journal.check(now_ms=NOW_MS) is Durability.MEMORY


async def test_a_holder_reads_only_what_it_has_not_folded(journal: Journal) -> None:
    ledger = await claimed(journal)
    for digit in "123":
        await ledger.write((e.DigitPressed(digit=digit),), NOW_MS)
    note = e.encode(e.NoteAdded(text="hm"))
    await journal.append(CALL, (note,), epoch=None, after=None, key="n", now_ms=NOW_MS)
    claim = await ledger.claim((), NOW_MS)
    assert (claim.since, len(claim.records), ledger.epoch) == (4, 1, 2)
    reading = await journal.read(CALL)
    assert not isinstance(reading, Missing)
    assert rebuilt(None, reading.records).notes == ledger.call.notes
    assert (ledger.call.position, ledger.call.digits_pending) == (5, "123")


async def test_what_a_holder_knew_of_an_erased_call_is_forgotten(journal: Journal) -> None:
    ledger = await claimed(journal)
    await ledger.write((e.DigitPressed(digit="1"),), NOW_MS)
    await journal.erase(CALL)
    claim = await ledger.claim(OPENING, NOW_MS)
    assert (claim.since, claim.is_new) == (0, True)
    assert (ledger.call.position, ledger.call.digits_pending) == (1, "")
