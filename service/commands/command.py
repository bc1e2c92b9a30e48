"""What a command is: its words, its options, and what it does. And what its exit code says.

    0   done, and nothing is wrong
    1   done, and something is: a check failed, a decision is otherwise, something had to stay
    2   it could not be done: wrong words, a wrong setting, a store that does not answer

`replay` has more of them; see service/simulator/replay/report.py.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from typing_extensions import override

DONE, OTHERWISE, FAILED = 0, 1, 2

Run = Callable[[argparse.Namespace], int]
AddTo = Callable[[argparse.ArgumentParser], None]


class WrongWords(Exception):
    """The command line can't be read; `code` is the exit code for it."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


class Parser(argparse.ArgumentParser):
    """A parser that never ends the program: wrong words are WrongWords, with one sentence."""

    wrong_words = FAILED

    @override
    def error(self, message: str) -> NoReturn:
        """See ArgumentParser.error."""
        raise WrongWords(
            f"{self.prog}: {message}. `{self.prog} --help` tells more.", self.wrong_words
        )


def no_options(_parser: argparse.ArgumentParser) -> None:
    """For a command without options."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command. `run` returns the exit code, and may raise StaylineError and OSError."""

    name: str
    summary: str  # one line, for the list of commands
    run: Run
    add_to: AddTo = no_options
    about: str = ""  # what `--help` says above the options; the summary without it
    wrong_words: int = FAILED


@dataclass(frozen=True, kw_only=True)
class Group:
    """Commands that share their first word."""

    name: str
    summary: str
    commands: tuple[Command, ...]


def add_json(parser: argparse.ArgumentParser, told: str) -> None:
    """Add `--json`, which is everywhere the same: one JSON object on standard output."""
    parser.add_argument("--json", action="store_true", help=f"{told} as JSON, for programs")


def plain(text: str) -> str:
    """Return what somebody else wrote as one line that can do nothing to a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
