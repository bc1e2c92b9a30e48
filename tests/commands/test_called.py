"""What a person is told to type works where they stand."""

from pathlib import Path

import pytest

from service.commands.called import called


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of our name in a folder that no shell looks into."""
    path = tmp_path / "here" / "bin" / "stayline"
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(path)])
    monkeypatch.setenv("PATH", str(tmp_path / "elsewhere"))
    return path


def test_below_the_current_folder_it_is_a_short_path(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(program.parent.parent)
    assert called() == "bin/stayline"


def test_elsewhere_it_is_the_whole_path(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    assert called() == str(program)


def test_where_the_shell_finds_it_its_name_is_enough(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(program.parent))
    assert called() == "stayline"


def test_another_one_of_that_name_is_not_taken_for_it(program: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "stayline"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    assert called() == str(program)


def test_started_as_a_module_it_goes_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/somewhere/service/__main__.py"])
    assert called() == "stayline"
