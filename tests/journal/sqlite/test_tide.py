"""The mark beside the file that tells a restored copy (R-4)."""

from pathlib import Path

import pytest

from service.journal.sqlite.tide import TideMark


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
