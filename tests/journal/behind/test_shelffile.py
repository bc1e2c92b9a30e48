"""R-9: the shelf's file is whole up to its last acknowledged byte, and belongs to one process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.journal.behind.frames import framed
from service.journal.behind.shelffile import ShelfFile, left_files, numbered

WRITER = """
import sys
from pathlib import Path
from service.journal.behind.frames import framed
from service.journal.behind.shelffile import ShelfFile
file = ShelfFile.create(Path(sys.argv[1]))
file.append(framed(b"left") + framed(b"torn")[:-1])
print("written", flush=True)
sys.stdin.read()
"""


def test_what_is_appended_is_read_back_and_emptied(tmp_path: Path) -> None:
    file = ShelfFile.create(tmp_path / "new" / "one.shelf")
    file.append(framed(b"a"))
    file.append(framed(b"b"))
    assert file.read() == (b"a", b"b")
    file.empty()
    assert file.read() == ()
    file.close()
    assert not (tmp_path / "new" / "one.shelf").exists()


def test_a_file_with_something_in_it_stays(tmp_path: Path) -> None:
    file = ShelfFile.create(tmp_path / "one.shelf")
    file.append(framed(b"a"))
    file.close()
    (left,) = left_files(tmp_path)
    assert left.read() == (b"a",)
    assert left_files(tmp_path) == (), "it is taken"
    left.close()


def test_a_rewritten_file_holds_the_new_alone(tmp_path: Path) -> None:
    file = ShelfFile.create(tmp_path / "one.shelf")
    file.append(framed(b"old"))
    file = file.rewrite(framed(b"new"))
    file.append(framed(b"newer"))
    assert file.read() == (b"new", b"newer")
    assert left_files(tmp_path) == ()
    file.close()


def test_a_file_that_its_living_process_writes_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "one.shelf"
    with subprocess.Popen(  # noqa: S603 - this very interpreter, on the lines above
        [sys.executable, "-c", WRITER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        assert left_files(tmp_path) == ()
        writer.kill()
    (left,) = left_files(tmp_path)
    assert left.read() == (b"left",)
    left.empty()
    left.close()
    assert not path.exists()


def test_files_are_taken_in_the_order_in_which_they_were_begun(tmp_path: Path) -> None:
    """Seed 10216014: what an older process had left was told after what the next one wrote to the same branch."""
    assert numbered(tmp_path / "nowhere", "z").name == "1-z.shelf"
    for name in ("z", "m", "b", *map(str, range(8)), "a"):
        ShelfFile.create(numbered(tmp_path, name), framed(name.encode())).close()
    left = left_files(tmp_path)
    assert b"".join(file.read()[0] for file in left) == b"zmb01234567a"
    for file in left:
        file.empty()
        file.close()
    assert numbered(tmp_path, "z").name == "1-z.shelf"


def test_no_folder_has_no_files(tmp_path: Path) -> None:
    assert left_files(tmp_path / "nowhere") == ()
    assert ShelfFile.adopt(tmp_path / "nothing.shelf") is None


def test_what_was_half_written_is_cut_off(tmp_path: Path) -> None:
    file = ShelfFile.create(tmp_path / "one.shelf")
    file.append(framed(b"a"))
    real, file._descriptor = file._descriptor, os.open(tmp_path / "one.shelf", os.O_RDONLY)
    with pytest.raises(OSError, match="descriptor"):
        file.append(framed(b"b"))
    os.close(file._descriptor)
    file._descriptor = real
    file.append(framed(b"c"))
    assert file.read() == (b"a", b"c")
    file.close()
