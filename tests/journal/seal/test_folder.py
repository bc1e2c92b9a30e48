"""S-8: a key that is destroyed is overwritten where it stood."""

import os
from collections.abc import Collection
from pathlib import Path

import pytest

from service.errors import StoreUnavailable
from service.journal.seal.folder import FolderVault

pytestmark = pytest.mark.asyncio


def key_file(folder: Path) -> Path:
    (file,) = folder.glob("*.key")
    return file


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def nobody() -> Collection[str]:
    return []


async def test_the_files_are_the_owners_alone(tmp_path: Path) -> None:
    vault = FolderVault(tmp_path / "keys")
    await vault.put("CA1", b"key")
    await vault.close()
    file = key_file(tmp_path / "keys")
    assert file.stat().st_mode & 0o77 == 0
    assert file.parent.stat().st_mode & 0o77 == 0
    assert "CA1" not in file.name


async def test_the_bytes_are_zeros_before_the_file_is_unlinked(tmp_path: Path) -> None:
    vault = FolderVault(tmp_path)
    await vault.put("CA1", b"first key")
    file = key_file(tmp_path)
    os.link(file, tmp_path / "kept")  # what stands on the disk where the file was
    assert await vault.replace("CA1", b"first key", b"second key")
    assert (tmp_path / "kept").read_bytes() == bytes(9)
    os.link(file, tmp_path / "kept too")
    assert await vault.destroy("CA1")
    assert (tmp_path / "kept too").read_bytes() == bytes(10)
    assert not file.exists()
    await vault.close()


async def test_what_a_dead_process_left_half_done_is_cleared(tmp_path: Path) -> None:
    vault = FolderVault(tmp_path)
    await vault.put("CA1", b"no key at all")
    file = key_file(tmp_path)
    file.with_suffix(".new").write_bytes(b"half")
    file.write_bytes(bytes(13))
    assert await vault.fetch("CA1") is None
    assert await vault.prune(nobody, before_ms=0) == 1
    assert names_in(tmp_path) == {"lock"}
    await vault.close()


async def test_a_folder_that_can_not_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    vault = FolderVault(tmp_path / "file" / "keys")
    with pytest.raises(StoreUnavailable, match="keys' folder"):
        await vault.start()
    await vault.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await vault.fetch("CA1")


async def test_a_disk_that_refuses_leaves_the_key_that_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = FolderVault(tmp_path)
    await vault.put("CA1", b"one")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreUnavailable, match="No space"):
        await vault.replace("CA1", b"one", b"two")
    assert await vault.fetch("CA1") == b"one"
    await vault.close()
