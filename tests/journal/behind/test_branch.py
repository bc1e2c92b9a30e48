"""The rules of a journal, held by a branch as well: R-2, R-5."""

import pytest

from service.journal.behind import branch as module
from service.journal.behind.branch import Branch
from service.journal.behind.entries import Entry, Leaving, Minding, Opening, Taking, Writing
from service.journal.values import (
    RECORDS_MAX,
    Appended,
    Behind,
    Durability,
    Fenced,
    Full,
    Known,
    Lease,
    Missing,
    Reading,
    Record,
    Snapshot,
)

CALL = "CA1"


def grown(*, head: int = 5, epoch: int = 2) -> Branch:
    return Branch("b", CALL, incarnation="inc", epoch=epoch, head=head, at_ms=7)


def write(branch: Branch, *bodies: bytes, key: str = "k", after: int | None = None) -> object:
    return branch.append(bodies or (b"x",), epoch=branch.epoch, after=after, key=key, at_ms=8)


def test_a_write_stands_behind_what_the_store_has() -> None:
    branch = grown()
    assert write(branch, b"a", b"b", after=5) == Writing((b"a", b"b"), 2, "k", 8, 7)
    assert branch.after(5) == (Record(6, 2, 8, b"a"), Record(7, 2, 8, b"b"))
    assert branch.reading(6) == Reading("inc", 2, 7, None, (Record(7, 2, 8, b"b"),), "b")
    assert (branch.waiting, len(branch.entries)) == (2, 1)


def test_it_refuses_what_a_journal_refuses() -> None:
    branch = grown()
    write(branch)
    assert branch.append([b"y"], epoch=1, after=None, key="l", at_ms=8) == Fenced(2)
    assert branch.append([b"y"], epoch=2, after=5, key="l", at_ms=8) == Behind(6)
    assert write(branch) == Appended(6, Durability.MEMORY, repeated=True)
    assert isinstance(write(grown(head=RECORDS_MAX)), Full)


def test_writers_outside_need_no_fence_and_no_place() -> None:
    branch = grown()
    branch.append([b"note"], epoch=None, after=None, key="n", at_ms=8)
    assert branch.after(5) == (Record(6, 0, 8, b"note"),)


def test_a_claim_makes_the_fence_grow_and_tells_what_is_new_to_its_claimer() -> None:
    branch = grown()
    write(branch)
    assert branch.claim([b"o"], owner="us", until_ms=90, at_ms=9) == Taking((b"o",), "us", 3, 90, 9)
    before = Lease("us", 2, 1, 2)
    claim = branch.claimed(Known("inc", 5), before)
    assert claim is not None
    assert (claim.epoch, claim.since, claim.records) == (3, 5, (Record(6, 2, 8, b"x"),))
    assert (claim.lease, claim.is_new, claim.head) == (before, False, 6)
    assert branch.claimed(Known("inc", 4), before) is None, "that is with the store"
    assert branch.claimed(Known("old", 5), before) is None
    assert branch.claimed(None, before) is None


def test_a_call_that_rings_is_whole_in_its_branch() -> None:
    branch = grown(head=0, epoch=0)
    assert branch.open([b"o"], 9) == Opening((b"o",), 9)
    branch.claim([b"p"], owner="us", until_ms=90, at_ms=9)
    claim = branch.claimed(None, None)
    assert claim is not None
    assert claim.records == (Record(1, 0, 9, b"o"),)
    unheard = grown(head=0, epoch=0)
    unheard.claim([b"p"], owner="us", until_ms=90, at_ms=9)
    assert unheard.after(0) == (Record(1, 0, 9, b"p"),)


def test_what_the_store_has_is_shown_and_not_told() -> None:
    branch = grown(head=5)
    branch.show((Writing((b"a",), 2, "k6", 3, 6), Writing((b"b",), None, "k7", 3, 7)))
    assert (branch.head, branch.place, branch.since, branch.waiting) == (7, 7, 5, 0)
    assert write(branch, key="k6") == Appended(6, Durability.MEMORY, repeated=True)
    assert branch.shelved(None).head == 7


def test_what_the_store_was_told_leaves_the_list() -> None:
    branch = grown()
    for key in "abc":
        write(branch, key=key)
    for position in (6, 8):
        entry = branch.entries[0]
        assert isinstance(entry, Writing)
        branch.stands(entry, position)
        assert branch.is_shifted is (position == 8)
    assert (branch.waiting, branch.place) == (1, 8)
    branch.drop()
    assert (branch.waiting, branch.bytes, branch.is_shifted) == (0, 0, True)


def test_what_a_slow_store_has_is_let_go_in_time() -> None:
    branch = grown(head=0)
    for number in range(module.RECORDS_KEPT + 50):
        write(branch, key=f"{number}")
        entry = branch.entries[0]
        assert isinstance(entry, Writing)
        branch.stands(entry, entry.position)
    assert len(branch.records) <= module.RECORDS_KEPT
    assert branch.after(branch.head - 1)[0].position == branch.head
    assert not branch.can_read("inc", 0)


def test_it_has_room_for_so_much() -> None:
    branch = grown()
    write(branch, *[b"x" * 100_000] * 80)
    assert not branch.is_full
    write(branch, *[b"x" * 100_000] * 5, key="l")
    assert branch.is_full


def test_it_is_restored_as_it_was_whatever_was_shelved_twice() -> None:
    branch = grown(head=0, epoch=0)
    entries = [
        branch.open([b"o"], 9),
        branch.claim([], owner="us", until_ms=90, at_ms=9),
        write(branch),
        Leaving(1, 9),
    ]
    branch.enlist(Leaving(1, 9))
    restored = grown(head=0, epoch=0)
    for entry in [*entries, *entries[:3]]:
        assert isinstance(entry, Opening | Taking | Writing | Leaving)
        restored.restore(entry)
    assert restored.entries == branch.entries
    assert (restored.after(0), restored.epoch) == (branch.after(0), 1)
    assert restored.owner == "us"


@pytest.mark.parametrize(
    ("found", "then"),
    [
        ([Writing((b"a",), 2, "a", 8, 6)], [Minding(8)]),
        ([Writing((b"a",), 2, "a", 8, 6), Leaving(2, 9)], []),
        ([Minding(8)], []),
        ([], []),
    ],
)
def test_a_call_that_was_left_is_to_be_looked_after_unless_who_left_it_was_done(
    found: list[Entry], then: list[Entry]
) -> None:
    branch = grown(head=5)
    for entry in found:
        branch.restore(entry)
    branch.leave()
    assert list(branch.entries) == found + then
    assert branch.waiting == sum(isinstance(one, Writing) for one in found)


def test_what_a_hole_precedes_is_restored_without_what_stood_before() -> None:
    branch = grown(head=5)
    branch.restore(Writing((b"a",), 2, "k6", 3, 6))
    branch.restore(Writing((b"c",), 2, "k9", 3, 9))
    assert (branch.since, branch.head, branch.after(8)) == (8, 9, (Record(9, 2, 3, b"c"),))
    assert not branch.can_read("inc", 5)


def test_the_stores_part_and_the_branch_are_one_reading() -> None:
    branch = grown(head=2)
    write(branch, b"c")
    there = tuple(Record(n, 1, 1, b"%d" % n) for n in (1, 2, 3))
    joined = branch.joined(Reading("inc", 1, 3, Snapshot(3, b"s"), there))
    assert isinstance(joined, Reading)
    assert [one.body for one in joined.records] == [b"1", b"2", b"c"]
    assert (joined.snapshot, joined.head) == (None, 3)
    assert isinstance(branch.joined(Missing()), Missing)
    whole = grown(head=0)
    write(whole, b"c")
    assert whole.joined(Missing()) == whole.reading(0)


def test_what_was_lost_is_told_first_and_a_lost_fence_writes_nothing() -> None:
    branch = grown()
    write(branch, key="late")
    branch.put_before((Writing((b"a",), 2, "k4", 3, 4), Writing((b"b",), 2, "k5", 3, 5)))
    assert [one.key for one in branch.entries if isinstance(one, Writing)] == ["k4", "k5", "late"]
    branch.lose()
    assert (branch.is_fenced, branch.fence) == (True, 0)
