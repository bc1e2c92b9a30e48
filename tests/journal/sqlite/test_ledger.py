"""The ledger's own promises: what it does is one transaction, and undone with it."""

import sqlite3
from collections.abc import Iterator

import pytest

from service.journal.limits import TOKEN_TTL_MS, TOKENS_MAX
from service.journal.sqlite.ledger import SHORT, Ledger, Taken, pulse
from service.journal.sqlite.readings import Row, feel_pulse, find, read
from service.journal.sqlite.storefile import SQL, StoreFile
from service.journal.tokens import OTHER_STREAM, TOO_LATE, TOO_MANY, TOO_OFTEN
from service.journal.values import (
    CALL_BYTES_MAX,
    RECORDS_MAX,
    Appended,
    Behind,
    Claim,
    Durability,
    Fenced,
    Full,
    Headline,
    Known,
    Lease,
    Missing,
    Reading,
    Record,
    Snapshot,
    Spent,
    Unspendable,
)

CALL = "CA1"
TTL_MS = 1_000


@pytest.fixture
def file() -> Iterator[StoreFile]:
    opened = StoreFile(None, writes=True)
    yield opened
    opened.close()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(ttl_ms=TTL_MS, durability=Durability.MEMORY)


def append(
    ledger: Ledger,
    connection: sqlite3.Connection,
    key: str,
    *bodies: bytes,
    epoch: int | None = 1,
    after: int | None = None,
    now_ms: int = 5,
) -> object:
    return ledger.append(
        connection, CALL, bodies or [b"a"], epoch=epoch, after=after, key=key, now_ms=now_ms
    )


def claim(
    ledger: Ledger, connection: sqlite3.Connection, *, now_ms: int = 5, expected: int | None = None
) -> Claim | Taken | Fenced:
    return ledger.claim(
        connection, CALL, [b"a"], owner="o", until_ms=9, now_ms=now_ms, expected=expected
    )


def standing(connection: sqlite3.Connection) -> Row:
    row = find(connection, CALL)
    assert row is not None
    return row


def count(connection: sqlite3.Connection, table: str) -> int:
    (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - ours
    return int(rows)


def test_what_is_rolled_back_never_was(file: StoreFile, ledger: Ledger) -> None:
    connection = file.begin()
    ledger.claim(connection, CALL, [], owner="o", until_ms=1, now_ms=5)
    file.commit(connection)
    connection = file.begin()
    assert append(ledger, connection, "k") == Appended(1, Durability.MEMORY)
    file.roll_back()
    connection = file.begin()
    assert append(ledger, connection, "k") == Appended(1, Durability.MEMORY)
    file.commit(connection)


def test_each_write_of_a_group_sees_the_one_before(file: StoreFile, ledger: Ledger) -> None:
    connection = file.begin()
    ledger.claim(connection, CALL, [], owner="one", until_ms=1, now_ms=5)
    assert append(ledger, connection, "a") == Appended(1, Durability.MEMORY)
    ledger.claim(connection, CALL, [], owner="two", until_ms=1, now_ms=5)
    assert append(ledger, connection, "b") == Fenced(2)
    assert append(ledger, connection, "a") == Appended(1, Durability.MEMORY, repeated=True)
    file.commit(connection)


def test_an_opened_call_is_told_of_as_it_stands(file: StoreFile, ledger: Ledger) -> None:
    connection = file.begin()
    opened = ledger.open(connection, CALL, [b"a", b"bc"], now_ms=5)
    row = standing(connection)
    assert opened == Headline(CALL, row.incarnation, 0, 2, None, 5 + TTL_MS)
    assert (row.bytes, row.opened_ms, len(row.incarnation)) == (3, 5, 16)
    claim(ledger, connection)
    held = ledger.open(connection, CALL, [b"d"], now_ms=7)
    assert held == Headline(CALL, row.incarnation, 1, 2, Lease("o", 1, 5, 9), 5 + TTL_MS)


def test_a_claim_says_who_held_the_call_before_and_prolongs_its_life(
    file: StoreFile, ledger: Ledger
) -> None:
    connection = file.begin()
    first, second = (claim(ledger, connection, now_ms=now_ms) for now_ms in (5, 105))
    row = standing(connection)
    begun = (Record(1, 0, 5, b"a"),)
    assert first == Claim(1, row.incarnation, True, None, begun)  # noqa: FBT003 - as it is declared
    held = Lease("o", 1, 5, 9)
    assert second == Claim(2, row.incarnation, False, None, begun, held)  # noqa: FBT003 - likewise
    assert (row.lease(), row.expires_ms) == (Lease("o", 2, 105, 9), 105 + TTL_MS)


def test_only_of_a_short_call_the_records_are_read_with_its_claim(
    file: StoreFile, ledger: Ledger
) -> None:
    connection = file.begin()
    claim(ledger, connection)
    incarnation = standing(connection).incarnation
    append(ledger, connection, "k", *(b"b" for _ in range(SHORT - 1)))

    def claimed(known: Known | None) -> object:
        return ledger.claim(connection, CALL, [], owner="o", until_ms=9, now_ms=5, known=known)

    short = claimed(None)
    assert isinstance(short, Claim)
    assert [one.position for one in short.records] == list(range(1, SHORT + 1))
    append(ledger, connection, "l", b"c", epoch=2)
    long = Taken(3, incarnation, is_new=False, lease=Lease("o", 2, 5, 9))
    assert claimed(None) == long
    later = claimed(Known(incarnation, 1))
    assert isinstance(later, Claim)
    assert (later.since, len(later.records)) == (1, SHORT)
    for nothing in (Known("other", SHORT), Known(incarnation, SHORT + 2)):
        assert isinstance(claimed(nothing), Taken)


def test_what_was_read_of_the_call_goes_with_its_claim() -> None:
    lease, kept = Lease("o", 1, 5, 9), Snapshot(2, b"s")
    records = (Record(3, 1, 5, b"a"),)
    told = Taken(4, "i", is_new=False, lease=lease).claim(Reading("i", 4, 3, kept, records), 2)
    assert told == Claim(4, "i", False, kept, records, lease, 2)  # noqa: FBT003 - as it is declared


def test_a_claim_that_expects_another_epoch_is_fenced_and_changes_nothing(
    file: StoreFile, ledger: Ledger
) -> None:
    """R-2: a call that is unknown, or past its time, has epoch 0."""
    connection = file.begin()
    assert claim(ledger, connection, expected=1) == Fenced(0)
    assert find(connection, CALL) is None
    assert isinstance(claim(ledger, connection, expected=0), Claim)
    before = standing(connection)
    for expected in (0, 2):
        assert claim(ledger, connection, now_ms=4 + TTL_MS, expected=expected) == Fenced(1)
    assert claim(ledger, connection, now_ms=5 + TTL_MS, expected=1) == Fenced(0)
    assert standing(connection) == before
    assert isinstance(claim(ledger, connection, expected=1), Claim)
    anew = claim(ledger, connection, now_ms=5 + TTL_MS, expected=0)
    assert isinstance(anew, Claim)
    assert (anew.epoch, anew.is_new) == (1, True)


def test_an_append_is_refused_for_one_reason_and_writes_nothing_then(
    file: StoreFile, ledger: Ledger
) -> None:
    connection = file.begin()
    assert append(ledger, connection, "k") == Missing()
    claim(ledger, connection)
    before = standing(connection)
    assert append(ledger, connection, "k", now_ms=5 + TTL_MS) == Missing()
    assert append(ledger, connection, "k", epoch=0) == Fenced(1)
    assert append(ledger, connection, "k", epoch=2, after=9) == Fenced(1)
    assert append(ledger, connection, "k", after=0) == Behind(1)
    assert append(ledger, connection, "k", epoch=None, after=2) == Behind(1)
    assert (standing(connection), count(connection, "records")) == (before, 1)
    late_ms = 4 + TTL_MS
    written = append(ledger, connection, "k", b"b", b"cd", after=1, now_ms=late_ms)
    assert written == Appended(3, Durability.MEMORY)
    row = standing(connection)
    assert (row.head, row.bytes, row.expires_ms) == (3, 4, late_ms + TTL_MS)
    again = append(ledger, connection, "k", b"else", epoch=9, after=9)
    assert again == Appended(3, Durability.MEMORY, repeated=True)


def test_what_is_written_is_marked_with_its_writers_fence_or_none(
    file: StoreFile, ledger: Ledger
) -> None:
    connection = file.begin()
    claim(ledger, connection)
    append(ledger, connection, "k", b"b", b"c", now_ms=6)
    append(ledger, connection, "l", b"d", epoch=None, now_ms=7)
    rows = connection.execute("SELECT position, epoch, at_ms, key, body FROM records").fetchall()
    assert rows == [
        (1, 0, 5, None, b"a"),
        (2, 1, 6, None, b"b"),
        (3, 1, 6, "k", b"c"),
        (4, 0, 7, "l", b"d"),
    ]


@pytest.mark.parametrize(
    ("column", "most"), [("head", RECORDS_MAX - 2), ("bytes", CALL_BYTES_MAX - 2)]
)
def test_a_call_takes_as_much_as_its_limit_and_no_more(
    file: StoreFile, ledger: Ledger, column: str, most: int
) -> None:
    connection = file.begin()
    claim(ledger, connection)
    connection.execute(f"UPDATE calls SET {column} = {most}")  # noqa: S608 - ours
    assert append(ledger, connection, "k", b"1", b"2", b"3") == Full()
    assert isinstance(append(ledger, connection, "k", b"1", b"2"), Appended)
    assert append(ledger, connection, "l", b"1") == Full()


def test_a_snapshot_is_kept_of_what_is_written_and_by_who_holds_the_call(
    file: StoreFile, ledger: Ledger
) -> None:
    connection = file.begin()

    def keeps(epoch: int, position: int) -> bool:
        return ledger.snapshot(connection, CALL, epoch=epoch, position=position, body=b"s")

    assert keeps(1, 0) is False
    claim(ledger, connection)
    assert [keeps(0, 1), keeps(2, 1), keeps(1, 2)] == [False] * 3
    assert count(connection, "snapshots") == 0
    assert keeps(1, 1) is True
    assert connection.execute("SELECT position, body FROM snapshots").fetchall() == [(1, b"s")]


def test_a_lagging_clock_shortens_no_life(file: StoreFile, ledger: Ledger) -> None:
    connection = file.begin()
    ledger.open(connection, CALL, [], now_ms=500)
    ledger.claim(connection, CALL, [], owner="o", until_ms=1, now_ms=5)
    append(ledger, connection, "k")
    assert standing(connection).expires_ms == 500 + TTL_MS


def test_erasing_leaves_no_row_of_the_call(file: StoreFile, ledger: Ledger) -> None:
    connection = file.begin()
    for _ in range(2):
        ledger.claim(connection, CALL, [b"a"], owner="o", until_ms=1, now_ms=5)
    append(ledger, connection, "k", epoch=2)
    ledger.snapshot(connection, CALL, epoch=2, position=1, body=b"s")
    ledger.spend(connection, CALL, "n", stream_sid="MZ", window_ms=1, uses_max=1, now_ms=5)
    assert ledger.erase(connection, CALL)
    assert [count(connection, table) for table in ("calls", "records", "snapshots", "tokens")] == [
        0,
        0,
        0,
        0,
    ]


def test_a_sweep_takes_a_bounded_number_at_once(file: StoreFile, ledger: Ledger) -> None:
    connection = file.begin()
    for n in range(259):
        ledger.open(connection, f"CA{n}", [b"a"], now_ms=n)
    swept = [ledger.sweep(connection, 10_000) for _ in range(3)]
    assert swept[0] == tuple(f"CA{n}" for n in range(256))
    assert [len(calls) for calls in swept] == [256, 3, 0]
    assert count(connection, "records") == 0


def test_a_sweep_takes_what_is_past_its_time_at_that_very_moment(
    file: StoreFile, ledger: Ledger
) -> None:
    """The tokens of a call that was swept go with it; of others they are kept for an hour, as pulses are."""
    connection = file.begin()
    for call_sid in (CALL, "CA2"):
        ledger.open(connection, call_sid, [], now_ms=5)
        spend(ledger, connection, call_sid)
    connection.execute(SQL["remember"], ("name", CALL, 5 + TTL_MS))
    pulse(connection, "journal", 5)
    connection.execute("UPDATE calls SET expires_ms = 9e6 WHERE call_sid = 'CA2'")
    assert ledger.sweep(connection, 4 + TTL_MS) == ()
    assert count(connection, "names") == 1
    assert ledger.sweep(connection, 5 + TTL_MS) == (CALL,)
    assert [count(connection, table) for table in ("names", "tokens", "pulses")] == [0, 1, 1]
    ledger.sweep(connection, 4 + 3_600_000)
    assert [count(connection, table) for table in ("tokens", "pulses")] == [1, 1]
    ledger.sweep(connection, 5 + 3_600_000)
    assert [count(connection, table) for table in ("tokens", "pulses")] == [0, 0]


def spend(
    ledger: Ledger,
    connection: sqlite3.Connection,
    call_sid: str = CALL,
    nonce: str = "n",
    *,
    stream_sid: str = "MZ",
    now_ms: int = 5,
) -> Spent | Unspendable:
    return ledger.spend(
        connection,
        call_sid,
        nonce,
        stream_sid=stream_sid,
        window_ms=60,
        uses_max=3,
        now_ms=now_ms,
    )


def test_a_token_is_spent_again_by_its_own_stream_only_and_in_time(
    file: StoreFile, ledger: Ledger
) -> None:
    connection = file.begin()
    assert spend(ledger, connection) == Spent(1)
    assert spend(ledger, connection, stream_sid="MZ2") == Unspendable(OTHER_STREAM)
    assert spend(ledger, connection, now_ms=66) == Unspendable(TOO_LATE)
    assert spend(ledger, connection, now_ms=65) == Spent(2)
    assert spend(ledger, connection, now_ms=125) == Spent(3)
    assert spend(ledger, connection, now_ms=125) == Unspendable(TOO_OFTEN)
    rows = connection.execute("SELECT * FROM tokens").fetchall()
    assert rows == [(CALL, "n", "MZ", 3, 125)]


def test_a_call_spends_a_bounded_number_of_tokens(file: StoreFile, ledger: Ledger) -> None:
    connection = file.begin()
    for n in range(TOKENS_MAX):
        assert spend(ledger, connection, nonce=f"n{n}") == Spent(1)
    assert spend(ledger, connection, nonce="over") == Unspendable(TOO_MANY)
    assert spend(ledger, connection, nonce="n0") == Spent(2)
    assert spend(ledger, connection, "CA2", nonce="over") == Spent(1)


def test_erasing_says_whether_anything_of_the_call_was_there(
    file: StoreFile, ledger: Ledger
) -> None:
    connection = file.begin()
    ledger.open(connection, "CA2", [b"kept"], now_ms=5)
    spend(ledger, connection, "CA2")
    assert ledger.erase(connection, CALL) is False
    ledger.open(connection, CALL, [], now_ms=5)
    assert ledger.erase(connection, CALL) is True
    spend(ledger, connection)
    assert ledger.erase(connection, CALL) is True
    connection.execute(SQL["remember"], ("name", CALL, 9))
    assert ledger.erase(connection, CALL) is True
    assert ledger.erase(connection, CALL) is False
    tables = ("calls", "records", "tokens", "names")
    assert [count(connection, table) for table in tables] == [1, 1, 1, 0]


def test_only_a_call_that_is_over_is_pruned_and_its_tokens_stay_spent(
    file: StoreFile, ledger: Ledger
) -> None:
    connection = file.begin()
    assert ledger.prune(connection, CALL) is False
    claim(ledger, connection)
    ledger.snapshot(connection, CALL, epoch=1, position=1, body=b"s")
    spend(ledger, connection)
    connection.execute(SQL["remember"], ("name", CALL, 9))
    assert ledger.prune(connection, CALL) is False
    assert standing(connection).head == 1
    connection.execute(SQL["release"], (CALL, 1))
    assert ledger.prune(connection, CALL) is True
    tables = ("calls", "records", "snapshots", "names", "tokens")
    assert [count(connection, table) for table in tables] == [0, 0, 0, 0, 1]


def test_a_call_past_its_time_begins_anew_with_nothing_of_its_old_life(
    file: StoreFile, ledger: Ledger
) -> None:
    """But for its tokens: one was spent for this very claim."""
    connection = file.begin()
    old = claim(ledger, connection)
    assert isinstance(old, Claim)
    append(ledger, connection, "k", b"b")
    ledger.snapshot(connection, CALL, epoch=1, position=1, body=b"s")
    spend(ledger, connection)
    assert ledger.open(connection, CALL, [], now_ms=4 + TTL_MS).incarnation == old.incarnation
    anew = claim(ledger, connection, now_ms=5 + TTL_MS)
    assert isinstance(anew, Claim)
    assert (anew.epoch, anew.is_new, anew.lease) == (1, True, None)
    assert anew.incarnation != old.incarnation
    tables = ("calls", "records", "snapshots", "tokens")
    assert [count(connection, table) for table in tables] == [1, 1, 0, 1]


def test_a_sweep_forgets_old_tokens_and_pulses(file: StoreFile, ledger: Ledger) -> None:
    connection = file.begin()
    pulse(connection, "journal", 7)
    assert feel_pulse(connection, "journal") == 7
    for _ in range(2):
        spent = ledger.spend(
            connection, CALL, "n", stream_sid="MZ", window_ms=0, uses_max=1, now_ms=7
        )
        assert spent == Spent(1)
        ledger.sweep(connection, 7 + TOKEN_TTL_MS)
    assert feel_pulse(connection, "journal") is None
    assert read(connection, CALL, after=0) == Missing()
