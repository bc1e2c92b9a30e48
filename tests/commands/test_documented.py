"""docs/commands.md tells of every command and option there is, and of no other."""

import re
from pathlib import Path

from service.commands.completion.words import Place, places
from service.commands.line import parser

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
HEAD = re.compile(r"^## stayline (.+)$", re.MULTILINE)
ROW = re.compile(r"^\| ((?:`-[^`]*`(?:, )?)+) \| (.*) \|$", re.MULTILINE)


def commands() -> dict[str, Place]:
    return {one.name: one for one in places(parser()) if one.path and not one.words}


def sections() -> dict[str, str]:
    _, *parts = HEAD.split(PAGE.read_text(encoding="utf-8"))
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_command_has_its_section_in_the_order_of_the_help() -> None:
    assert list(sections()) == list(commands())


def test_every_option_stands_in_its_table_and_no_other_does() -> None:
    for name, section in sections().items():
        rows = ROW.findall(section)
        told = {flag for row, _ in rows for flag in re.findall(r"`(-[-\w]+)", row)}
        known = {one for flag in commands()[name].flags for one in flag.names}
        assert told == known - {"-h", "--help"}, name
        assert all(text for _, text in rows), name
