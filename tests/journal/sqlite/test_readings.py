from collections.abc import Iterator

import pytest

from service.journal.limits import PAGE_RECORDS
from service.journal.sqlite.ledger import Ledger
from service.journal.sqlite.readings import feel_pulse, find, headlines, heads, read, read_page
from service.journal.sqlite.storefile import StoreFile
from service.journal.values import Durability, Headline, Lease, Missing, Reading

CALL = "CA1"


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
    ledger.snapshot(connection, CALL, epoch=1, position=100, body=b"s")
    rest = read(connection, CALL, after=None)
    assert isinstance(rest, Reading)
    assert [record.position for record in rest.records] == list(range(101, 2 * PAGE_RECORDS + 1))
    two = read(connection, CALL, after=2 * PAGE_RECORDS - 2)
    assert isinstance(two, Reading)
    assert (len(two.records), two.snapshot) == (2, rest.snapshot)


def test_a_page_is_bounded(file: StoreFile) -> None:
    connection = file.begin()
    page = read_page(connection, CALL, 3)
    assert page is not None
    assert [record.position for record in page.records] == list(range(4, PAGE_RECORDS + 4))
    assert page.head == 2 * PAGE_RECORDS


def test_what_is_not_there_is_nothing(file: StoreFile) -> None:
    connection = file.begin()
    assert find(connection, "CA9") is None
    assert read(connection, "CA9", after=0) == Missing()
    assert read_page(connection, "CA9", 0) is None
    assert feel_pulse(connection, "nobody") is None


def test_the_headlines_name_the_holder(file: StoreFile) -> None:
    claimed, opened = headlines(file.begin())
    assert claimed == Headline(
        CALL, claimed.incarnation, 1, 2 * PAGE_RECORDS, Lease("one", 1, 5, 9), 15
    )
    assert (opened.call_sid, opened.lease) == ("CA0", None)


def test_a_glance_at_an_unchanged_file_asks_no_further(file: StoreFile) -> None:
    connection = file.begin()
    version, found = heads(connection, (CALL, "CA9"), version=-1)
    assert {sid: head for sid, (_, head) in found.items()} == {CALL: 2 * PAGE_RECORDS}
    assert heads(connection, (CALL,), version=version) == (version, {})
