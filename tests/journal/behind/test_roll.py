import pytest

from service.errors import StoreUnavailable
from service.journal.behind import roll as module
from service.journal.behind.entries import Leaving, Shelved, Writing
from service.journal.behind.held import Held
from service.journal.behind.roll import Roll


def held(call_sid: str = "CA1", head: int = 3) -> Held:
    return Held(call_sid, owner="us", incarnation="inc", epoch=2, head=head, lease_ms=5_000)


def write(position: int) -> Writing:
    return Writing((b"x",), 2, f"k{position}", 0, position)


def test_a_branch_shows_what_is_kept_of_a_call() -> None:
    roll, call = Roll(), held()
    call.wrote(write(4))
    call.wrote(write(5))
    branch = roll.begin_from(call, 4, 7)
    assert (branch.since, branch.head, branch.place, branch.owner) == (3, 5, 5, "us")


def test_a_branch_of_an_owner_that_knows_less_or_more_begins_where_it_knows() -> None:
    for place in (1, 9):
        branch = Roll().begin_from(held(), place, 7)
        assert (branch.since, branch.head) == (place, place)
    assert Roll().begin_from(held(), None, 7).head == 3


def test_there_is_room_for_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BRANCHES_MAX", 1)
    monkeypatch.setattr(module, "HELD_MAX", 2)
    roll = Roll()
    roll.begin_from(held("CA1"), None, 7)
    assert roll.arrears(9).is_full
    with pytest.raises(StoreUnavailable):
        roll.begin_from(held("CA2"), None, 7)
    for name in ("CA1", "CA2", "CA3"):
        roll.hold(held(name))
    assert list(roll.held) == ["CA1", "CA3"], "the oldest that goes on without the store is kept"


def test_a_branch_that_ends_leaves_its_call_as_the_store_has_it() -> None:
    roll, call = Roll(), held()
    roll.hold(call)
    branch = roll.begin_from(call, None, 7)
    branch.epoch, branch.place, branch.is_shifted = 3, 9, True
    roll.end(branch)
    assert (call.epoch, call.head, call.is_rebased) == (3, 9, True)
    lost = roll.begin_from(call, None, 7)
    lost.lose()
    roll.end(lost)
    assert roll.held == {}
    assert roll.arrears(9).calls == 0


def test_what_was_left_is_restored_unless_it_is_done() -> None:
    roll = Roll()
    found = [
        Shelved("b1", "CA1", "inc", 2, 3, write(4)),
        Shelved("b2", "CA2", "inc", 2, 3, write(4)),
        Shelved("b3", "CA1", "inc", 2, 4, Leaving(2, 9)),
        Shelved("b2", "CA2", "inc", 2, 3, None),
    ]
    roll.restore(found, 100)
    assert list(roll.branches) == ["CA1"]
    assert [one.name for one in roll.all()] == ["b1", "b3"]
    arrears = roll.arrears(150)
    assert (arrears.calls, arrears.records, arrears.oldest_ms) == (2, 1, 50)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 3, 1, 0)])
def test_branches_of_one_call_stay_apart_and_take_turns_by_their_fences(
    order: tuple[int, ...],
) -> None:
    """Seed 322098 of the simulation: what an older owner left was written under the newer one's fence."""
    found = [
        Shelved("old", "CA1", "inc", 2, 3, write(4)),
        Shelved("new", "CA1", "inc", 3, 5, Writing((b"y",), 3, "l6", 0, 6)),
        Shelved("old", "CA1", "inc", 2, 3, write(5)),
        Shelved("other", "CA2", "inc", 1, 3, write(4)),
    ]
    roll = Roll()
    roll.restore([found[place] for place in order], 100)
    old, other = roll.branches["CA1"], roll.branches["CA2"]
    assert (old.name, old.fence, old.waiting, old.is_shifted) == ("old", 2, 2, False)
    assert {one.name for one in roll.all()} == {"old", "new", "other"}
    roll.end(old)
    new = roll.branches["CA1"]
    assert (new.name, new.fence, new.waiting, new.is_shifted) == ("new", 3, 1, True)
    assert (new.next, other.next) == (None, None)
    roll.end(new)
    assert list(roll.branches) == ["CA2"]


def test_a_call_that_was_claimed_anew_is_not_let_go() -> None:
    roll, call = Roll(), held("CA1")
    roll.let_go(None, 2)
    roll.hold(call)
    roll.let_go(call, 1)
    assert "CA1" in roll.held
    roll.let_go(call, 2)
    roll.let_go(call, 2)
    assert not roll.held


def test_a_call_that_was_erased_and_claimed_under_the_same_epoch_is_not_let_go() -> None:
    roll, erased, anew = Roll(), held("CA1"), held("CA1")
    roll.hold(erased)
    roll.hold(anew)
    roll.let_go(erased, 2)
    assert roll.held == {"CA1": anew}
