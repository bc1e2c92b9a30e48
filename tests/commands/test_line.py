"""The whole command line: one tree, and every end of a command in one line."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from service import __main__ as program
from service.commands import line
from service.commands.command import Command, Group
from service.commands.completion.words import places
from service.commands.line import COMMANDS, run
from service.errors import ConfigError


def commands() -> list[tuple[str, Command]]:
    found = []
    for one in COMMANDS:
        if isinstance(one, Group):
            found += [(f"{one.name} {below.name}", below) for below in one.commands]
        else:
            found.append((one.name, one))
    return found


def failing(error: BaseException) -> Callable[[argparse.Namespace], int]:
    def fail(_options: argparse.Namespace) -> int:
        raise error

    return fail


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_every_command_has_a_help_that_says_what_it_does(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run([*name.split(), "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: stayline {name}")
    assert len(said.splitlines()) > 4


@pytest.mark.parametrize("name", [name for name, _ in commands() if name != "completion"])
def test_every_command_speaks_to_programs(name: str) -> None:
    """A completion script is a program already."""
    parser = line.parser()
    place = next(one for one in places(parser) if one.name == name)
    assert "--json" in [flag for one in place.flags for flag in one.names]


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("stayline ")


@pytest.mark.parametrize("words", [[], ["sing"], ["journal"], ["number"], ["key", "--loud"]])
def test_wrong_words_are_one_line_and_exit_code_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    said = capsys.readouterr().err
    assert said.startswith("stayline")
    assert said.endswith("--help` tells more.\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ConfigError("PORT: no"), 2, "stayline: PORT: no\n"),
        (
            FileNotFoundError(2, "No such file or directory", "x"),
            2,
            "stayline: x: No such file or directory\n",
        ),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_whatever_goes_wrong_is_one_line(
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    one = Command(name="one", summary="does it", run=failing(error))
    monkeypatch.setattr(line, "COMMANDS", (one,))
    assert run(["one"]) == code
    assert capsys.readouterr().err == said


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    words = [sys.executable, "-m", "service", "completion", "bash"]
    ended = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, check=False)  # noqa: S603 - our own words
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, b"")


def test_the_program_is_the_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["stayline", "key"])
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("k")
