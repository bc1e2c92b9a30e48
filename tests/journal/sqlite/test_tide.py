"""The mark beside the file that tells a restored copy (R-4)."""

import stat
from pathlib import Path

import pytest

from service.journal.sqlite.tide import RECENT, OwnGroups, TideMark
from tests.journal.descriptors import open_numbers


def test_our_groups_are_told_from_those_of_others_at_any_height_that_was_just_read() -> None:
    ours = OwnGroups()
    for height in (2, 3, 7):
        ours.note(height)
    assert [ours.within(height) for height in range(9)] == [0, 0, 1, 2, 2, 2, 2, 3, 3]
    ours.forget()
    assert ours.within(9) == 2


def test_of_a_height_read_long_ago_too_few_are_told_and_never_too_many() -> None:
    ours = OwnGroups()
    for height in range(1, 2 * RECENT + 1):
        ours.note(height)
    assert ours.within(RECENT + 1) == RECENT + 1
    assert ours.within(RECENT) == 0


def test_a_file_that_went_back_is_below_its_mark(tmp_path: Path) -> None:
    mark = TideMark(tmp_path / "calls.db")
    assert not mark.is_above(0)
    mark.rise(7)
    mark.rise(5)
    assert mark.is_above(6)
    assert not mark.is_above(7)
    mark.close()
    again = TideMark(tmp_path / "calls.db")
    assert again.is_above(6)
    again.reset(3)
    assert not again.is_above(3)
    again.close()
    again.close()


def test_a_mark_is_of_one_size_and_for_its_owners_eyes(tmp_path: Path) -> None:
    """Any count of 64 bits has room, so that a shorter one leaves nothing of a longer behind."""
    path = tmp_path / "calls.db-tide"
    mark = TideMark(tmp_path / "calls.db")
    for height in (2**64 - 1, 7):
        mark.reset(height)
        assert path.read_bytes() == b"%020d" % height
        assert mark.is_above(height - 1)
        assert not mark.is_above(height)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    mark.close()


def test_a_mark_that_was_read_first_is_raised_by_the_next_commit(tmp_path: Path) -> None:
    (tmp_path / "calls.db-tide").write_bytes(b"%020d" % 5)
    mark = TideMark(tmp_path / "calls.db")
    assert mark.is_above(4)
    mark.rise(6)
    assert (tmp_path / "calls.db-tide").read_bytes() == b"%020d" % 6
    mark.close()


def test_a_mark_that_is_closed_holds_no_file(tmp_path: Path) -> None:
    before = open_numbers()
    mark = TideMark(tmp_path / "calls.db")
    for _ in range(2):
        mark.rise(1)
        assert open_numbers() - before
        mark.close()
        assert not open_numbers() - before


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\xff" * 20])
def test_a_spoilt_mark_tells_nothing_and_is_written_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "calls.db-tide").write_bytes(content)
    mark = TideMark(tmp_path / "calls.db")
    assert not mark.is_above(0)
    mark.reset(12)
    assert mark.is_above(11)
    mark.close()


def test_a_mark_that_cannot_be_written_fails_no_commit(tmp_path: Path) -> None:
    mark = TideMark(tmp_path / "no folder" / "calls.db")
    mark.rise(1)
    assert not mark.is_above(0)
    mark.close()
