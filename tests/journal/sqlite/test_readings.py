import sqlite3
from collections.abc import Iterator
from functools import partial

import pytest
from msgspec.structs import replace

from service.journal.limits import OVER_MAX, PAGE_RECORDS, UNCLAIMED_MS
from service.journal.sqlite.holds import adopt, release, remember
from service.journal.sqlite.ledger import Ledger, pulse
from service.journal.sqlite.readings import (
    feel_pulse,
    find,
    headlines,
    lapsed,
    others,
    read,
    read_claimed,
    read_page,
    recall,
    room,
)
from service.journal.sqlite.storefile import StoreFile
from service.journal.tailing import Page
from service.journal.values import (
    Durability,
    Headline,
    Known,
    Lease,
    Missing,
    Reading,
    Record,
    Snapshot,
)

CALL = "CA1"
KEPT = Snapshot(100, b"s")


@pytest.fixture
def file() -> Iterator[StoreFile]:
    opened = StoreFile(None, writes=True)
    ledger = Ledger(ttl_ms=10, durability=Durability.MEMORY)
    connection = opened.begin()
    opening = [b"%d" % n for n in range(1, 2 * PAGE_RECORDS + 1)]
    ledger.claim(connection, CALL, opening, owner="one", until_ms=9, now_ms=5)
    ledger.open(connection, "CA0", [], now_ms=6)
    opened.commit(connection)
    yield opened
    opened.close()


def test_a_call_is_read_after_a_position_or_after_its_snapshot(file: StoreFile) -> None:
    connection = file.begin()
    everything = read(connection, CALL, after=None)
    assert isinstance(everything, Reading)
    assert len(everything.records) == 2 * PAGE_RECORDS
    ledger = Ledger(ttl_ms=10, durability=Durability.MEMORY)
    ledger.snapshot(connection, CALL, epoch=1, position=KEPT.position, body=KEPT.body)
    rest = read(connection, CALL, after=None)
    assert isinstance(rest, Reading)
    records = tuple(Record(n, 0, 5, b"%d" % n) for n in range(101, 2 * PAGE_RECORDS + 1))
    assert rest == Reading(incarnation(connection), 1, 2 * PAGE_RECORDS, KEPT, records)
    two = read(connection, CALL, after=2 * PAGE_RECORDS - 2)
    assert isinstance(two, Reading)
    assert two == replace(rest, records=records[-2:])


def test_a_page_is_bounded(file: StoreFile) -> None:
    connection = file.begin()
    page = read_page(connection, CALL, 3)
    records = tuple(Record(n, 0, 5, b"%d" % n) for n in range(4, PAGE_RECORDS + 4))
    assert page == Page(incarnation(connection), 2 * PAGE_RECORDS, records)


def test_whoever_knows_how_a_call_begins_is_told_what_follows(file: StoreFile) -> None:
    connection = file.begin()
    known = Known(incarnation(connection), 2 * PAGE_RECORDS - 1)
    last = Record(2 * PAGE_RECORDS, 0, 5, b"%d" % (2 * PAGE_RECORDS))
    told = Reading(known.incarnation, 1, 2 * PAGE_RECORDS, None, (last,))
    assert read_claimed(connection, CALL, known=known) == (told, known.position)
    everything = read(connection, CALL, after=None)
    for nothing in (None, replace(known, incarnation="other"), replace(known, position=999)):
        assert read_claimed(connection, CALL, known=nothing) == (everything, 0)
        assert read_claimed(connection, "CA9", known=nothing) == Missing()


def test_what_is_not_there_is_nothing(file: StoreFile) -> None:
    connection = file.begin()
    assert find(connection, "CA9") is None
    assert read(connection, "CA9", after=0) == Missing()
    assert read_page(connection, "CA9", 0) is None
    assert feel_pulse(connection, "nobody") is None
    assert recall(connection, "nobody", now_ms=0) is None


def test_the_headlines_name_the_holder(file: StoreFile) -> None:
    connection = file.begin()
    claimed, opened = headlines(connection)
    assert claimed == Headline(
        CALL, incarnation(connection), 1, 2 * PAGE_RECORDS, Lease("one", 1, 5, 9), 15
    )
    assert (opened.call_sid, opened.lease) == ("CA0", None)


def test_a_hold_is_one_though_no_claim_was_before_it_or_it_ends_at_once(file: StoreFile) -> None:
    connection = file.begin()
    adopt(connection, "CA0", lapsed=None, owner="two", until_ms=0, now_ms=6)
    assert headlines(connection)[1].lease is None  # its stream may still come
    connection.execute("UPDATE calls SET expires_ms = 99999 WHERE call_sid = 'CA0'")
    due_ms = 6 + UNCLAIMED_MS
    assert adopt(connection, "CA0", lapsed=None, owner="two", until_ms=0, now_ms=due_ms)
    assert headlines(connection)[1].lease == Lease("two", 0, due_ms, 0)


def test_the_lapsed_calls_are_told_of_with_their_hold_as_many_as_were_asked_for(
    file: StoreFile,
) -> None:
    connection = file.begin()
    ledger = Ledger(ttl_ms=10, durability=Durability.MEMORY)
    ledger.claim(connection, "CA2", [], owner="two", until_ms=8, now_ms=5)
    claimed, earlier, _ = headlines(connection)
    assert lapsed(connection, now_ms=7, limit=2) == ()
    assert lapsed(connection, now_ms=9, limit=2) == (earlier, claimed)
    assert lapsed(connection, now_ms=9, limit=1) == (earlier,)


def test_the_room_is_what_is_filled_and_what_could_be_given_back(file: StoreFile) -> None:
    """Pages that are free count as room: the file keeps them for what comes."""
    connection = file.begin()
    ledger = Ledger(ttl_ms=10, durability=Durability.MEMORY)
    before = room(connection)
    assert before.over == ()
    for n in range(OVER_MAX + 1):
        ledger.claim(connection, f"CB{n}", [bytes(10_000 + n)], owner="o", until_ms=9, now_ms=5)
        release(connection, f"CB{n}", epoch=1)
    filled = room(connection)
    assert 650_000 < filled.used - before.used < 1_500_000
    assert filled.over == tuple((f"CB{n}", 10_000 + n) for n in range(OVER_MAX))
    for n in range(OVER_MAX + 1):
        ledger.prune(connection, f"CB{n}")
    assert 0 <= room(connection).used - before.used < 50_000


def test_a_name_means_its_call_for_as_long_as_it_lives(file: StoreFile) -> None:
    connection = file.begin()
    remember(connection, "name", call_sid=CALL, ttl_ms=5, now_ms=10)
    assert recall(connection, "name", now_ms=14) == CALL
    assert recall(connection, "name", now_ms=15) is None


def test_a_pulse_is_felt_as_it_was_written_last(file: StoreFile) -> None:
    connection = file.begin()
    for at_ms in (7, 9):
        pulse(connection, "journal", at_ms)
    assert feel_pulse(connection, "journal") == 9


def test_a_glance_at_a_file_that_only_we_wrote_to_asks_no_further(file: StoreFile) -> None:
    connection = file.begin()
    look = partial(others, call_sids=(CALL, "CA9"))
    elsewhere, found = look(connection, ours=file.own_groups, known=None)
    assert found == {CALL: (incarnation(connection), 2 * PAGE_RECORDS)}
    file.commit(connection)
    connection = file.begin()
    assert look(connection, ours=file.own_groups, known=elsewhere) == (elsewhere, {})
    file.own_groups.forget()
    assert look(connection, ours=file.own_groups, known=elsewhere) == (elsewhere + 1, found)


def incarnation(connection: sqlite3.Connection) -> str:
    row = find(connection, CALL)
    assert row is not None
    return row.incarnation
