from service.journal.behind import held as module
from service.journal.behind.entries import Writing
from service.journal.behind.held import Held


def held(head: int = 0) -> Held:
    return Held("CA1", owner="us", incarnation="inc", epoch=1, head=head, lease_ms=5_000)


def write(position: int, count: int = 1, size: int = 1) -> Writing:
    return Writing((b"x" * size,) * count, 1, f"k{position}", 0, position)


def test_the_newest_writes_are_kept_as_long_as_they_stand_together() -> None:
    call = held()
    for position in (1, 2, 4):
        call.wrote(write(position, count=2 if position == 4 else 1))
    assert (call.head, call.known_from) == (4, 0)
    assert [one.position for one in call.since(1)] == [2, 4]
    call.wrote(write(3))  # a late answer
    assert call.head == 4
    call.wrote(write(9))  # somebody else wrote 5 to 8
    assert (call.known_from, [one.position for one in call.since(0)]) == (8, [9])
    call.saw(12)
    assert (call.head, call.known_from, call.since(0)) == (12, 12, ())
    call.saw(3)
    assert call.head == 12


def test_only_so_many_and_so_much_is_kept() -> None:
    call = held()
    for position in range(1, module.RING_WRITES_MAX + 10):
        call.wrote(write(position))
    assert len(call.since(0)) == module.RING_WRITES_MAX
    for position in range(call.head + 1, call.head + 10):
        call.wrote(write(position, size=module.RING_BYTES_MAX // 4))
    assert len(call.since(0)) == 3


def test_what_the_store_lost_is_given_back_once() -> None:
    call = held()
    for position in (1, 2, 3):
        call.wrote(write(position))
    assert [one.position for one in call.rewound(1, 3)] == [2, 3]
    assert (call.head, call.rewound(1, 3)) == (1, ())
    assert call.rewound(5, 1) == ()
    assert (call.head, call.known_from) == (5, 5)


def test_an_answer_that_others_overtook_loses_nothing() -> None:
    call = held()
    for position in (1, 2, 3):
        call.wrote(write(position))
    assert call.rewound(1, 1) == ()
    assert [one.position for one in call.since(0)] == [1, 2, 3]
    assert call.head == 3


def test_a_journal_that_moved_is_another_one_until_its_owner_knows() -> None:
    call = held(3)
    call.moved(incarnation="new", head=9)
    assert (call.incarnation, call.head, call.is_rebased) == ("new", 9, True)
    assert (call.by("them", 9).owner, call.lease_ms) == ("them", 9)
