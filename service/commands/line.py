"""The whole command line: every command in one tree, from which help and completion are made, too."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from service.commands import chaos, desk, key, number, replay, serve
from service.commands.command import FAILED, OTHERWISE, Command, Group, Parser, WrongWords
from service.commands.completion import command as completion
from service.commands.doctor import command as doctor
from service.commands.journal import erase, export, replay as journal_replay, rewrap, show
from service.errors import StaylineError

ABOUT = """Phone calls that keep their conversation when the media stream doesn't.

Exit codes: 0 done and well, 1 done and something is wrong, 2 it could not be done. `replay` has more.
"""
INTERRUPTED = 130  # what shells say of a program that Ctrl-C ended

COMMANDS: tuple[Command | Group, ...] = (
    serve.COMMAND,
    doctor.COMMAND,
    Group(
        name="number",
        summary="phone numbers at the carrier",
        commands=(number.COMMAND,),
    ),
    Group(
        name="journal",
        summary="the store's calls: read, export, decide again, erase",
        commands=tuple(one.COMMAND for one in (show, export, journal_replay, erase, rewrap)),
    ),
    replay.COMMAND,
    chaos.COMMAND,
    key.COMMAND,
    desk.COMMAND,
    completion.COMMAND,
)


def run(words: Sequence[str]) -> int:
    """Run a command line and return the exit code. Whatever goes wrong is one line on standard error."""
    try:
        options, left = parser().parse_known_args(words)
        leaf: Parser = options.leaf
        if left:
            leaf.error(f"{' '.join(left)} is not known here")
        chosen: Command = options.chosen
        return chosen.run(options)
    except WrongWords as wrong:
        sys.stderr.write(f"{wrong}\n")
        return wrong.code
    except StaylineError as trouble:
        sys.stderr.write(f"stayline: {trouble}\n")
    except (
        BrokenPipeError
    ):  # Who read our output has seen enough; what is left of it has no place to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OTHERWISE
    except OSError as trouble:
        sys.stderr.write(f"stayline: {trouble.filename or 'a file'}: {trouble.strerror}\n")
    except KeyboardInterrupt:
        return INTERRUPTED
    return FAILED


def parser() -> Parser:
    """Return the tree. Each leaf's namespace has the `chosen` command and its `leaf`, the parser."""
    root = Parser(
        prog="stayline", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    root.add_argument(
        "--version", action="version", version=f"stayline {_version()}", help="say it and end"
    )
    root.set_defaults(root=root)
    _grow(root, COMMANDS)
    return root


def _grow(above: Parser, commands: Sequence[Command | Group]) -> None:
    below = above.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=Parser
    )
    for one in commands:
        if isinstance(one, Group):
            group = below.add_parser(one.name, help=one.summary, description=one.summary)
            _grow(group, one.commands)
            continue
        leaf = below.add_parser(
            one.name,
            help=one.summary,
            description=one.about or one.summary,
            formatter_class=_formatter(one.about),
        )
        leaf.wrong_words = one.wrong_words
        one.add_to(leaf)
        leaf.set_defaults(chosen=one, leaf=leaf)


def _formatter(about: str) -> type[argparse.HelpFormatter]:
    """Leave texts as they are that have lines of their own; others are one paragraph."""
    if "\n" in about:
        return argparse.RawDescriptionHelpFormatter
    return argparse.HelpFormatter


def _version() -> str:
    try:
        return version("stayline")
    except PackageNotFoundError:
        return "(run from its folder, not installed)"
