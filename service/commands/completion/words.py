"""Every word that may stand somewhere on the command line, read off the parsers themselves."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

FILES = "files"  # the value is a file's name
FREE = "free"  # the value is anything


@dataclass(frozen=True)
class Flag:
    """An option. `value` is "" for one that takes none, FILES, FREE, or its values with spaces between."""

    names: tuple[str, ...]
    value: str
    summary: str


@dataclass(frozen=True)
class Place:
    """A point on the command line, after the words of `path`: what may come next."""

    path: tuple[str, ...]
    words: tuple[tuple[str, str], ...]  # commands, each with its summary
    flags: tuple[Flag, ...]
    values: str  # what may stand there that is no option; as Flag.value

    @property
    def name(self) -> str:
        """The words that lead there."""
        return " ".join(self.path)


def places(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[Place]:
    """Yield the parser's own place, then those of all commands below it."""
    words: list[tuple[str, str]] = []
    below: list[tuple[str, argparse.ArgumentParser]] = []
    flags: list[Flag] = []
    values = ""
    for action in parser._actions:  # noqa: SLF001 - argparse shows them to nobody otherwise
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - likewise
            summaries = {one.dest: one.help or "" for one in action._choices_actions}  # noqa: SLF001 - likewise
            words = [(name, summaries.get(name, "")) for name in action.choices]
            below = list(action.choices.items())
        elif action.option_strings:
            flags.append(Flag(tuple(action.option_strings), _value(action), _summary(action)))
        else:
            values = _value(action)
    yield Place(path, tuple(words), tuple(flags), values)
    for name, child in below:
        yield from places(child, (*path, name))


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if action.choices:
        return " ".join(map(str, action.choices))
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    return FILES if metavar.startswith(("FILE", "FOLDER")) else FREE


def _summary(action: argparse.Action) -> str:
    """Return the help in one line that needs no quoting in any shell."""
    text = (action.help or "").replace("%(default)s", str(action.default))
    return "".join(one for one in text if one.isprintable() and one not in "'\"`\\$[]:;")
