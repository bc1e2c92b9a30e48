"""docs/commands.md tells of every command and option there is, and of no other. All pages call them rightly."""

import re
import shlex
from pathlib import Path

from service.commands.completion.words import Place, places
from service.commands.line import parser

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "commands.md"
BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
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


def typed(program: str) -> list[tuple[str, list[str]]]:
    """Return every line of our pages that runs a program, with its page."""
    found = []
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))):
        for block in BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if words and words[0].rpartition("/")[2] == program:
                    found.append((page.name, words[1:]))
    return found


def test_every_line_that_runs_a_command_is_one_that_it_understands() -> None:
    lines = typed("stayline")
    assert len(lines) > 5
    for page, words in lines:
        _, left = parser().parse_known_args(words)
        assert not left, (page, words)


def test_every_target_that_is_made_is_one_of_the_makefile() -> None:
    targets = re.findall(
        r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    made = [word for _, words in typed("make") for word in words if "=" not in word]
    assert made
    assert not set(made) - set(targets)
