"""Completion in a real bash, as the tab key asks for it."""

import os
import pty
import re
import select
import subprocess
from pathlib import Path

import pytest

from service.commands.completion import bash
from service.commands.completion.words import places
from service.commands.line import parser

ASK = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_stayline
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("completion") / "stayline.bash"
    file.write_text(bash.script(list(places(parser()))), encoding="utf-8")
    return file


def offered(script: Path, folder: Path, *words: str) -> list[str]:
    command = ["bash", "--norc", "-euc", ASK, "bash", str(script), "stayline", *words]
    done = subprocess.run(  # noqa: S603 - our own words
        command, capture_output=True, text=True, check=False, cwd=folder, timeout=20
    )
    assert not done.stderr
    return sorted(done.stdout.split("\n")[:-1])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            [""],
            [
                "chaos",
                "completion",
                "desk",
                "doctor",
                "journal",
                "key",
                "number",
                "replay",
                "serve",
            ],
        ),
        (["se"], ["serve"]),
        (["journal", ""], ["erase", "export", "replay", "rewrap", "show"]),
        (["journal", "re"], ["replay", "rewrap"]),
        (["journal", "export", "--s"], ["--store"]),
        (["number", "connect", "+1555", "--d"], ["--dry-run"]),
        (["completion", ""], ["bash", "fish", "zsh"]),
        (["chaos", "--store", ""], ["redis", "sqlite"]),
        (["chaos", "--calls", ""], [""]),
        (["journal", "replay", "a"], ["a b.jsonl", "a.jsonl"]),
        (["replay", "one.ulaw", "a"], ["a b.jsonl", "a.jsonl"]),
        (["journal", "export", "CA1", "-o", "b"], ["b.txt"]),
        (["serve", "--"], ["--demo", "--help", "--json"]),
        (["--"], ["--help", "--version"]),
    ],
)
def test_the_tab_key_offers_what_may_stand_there(
    script: Path, tmp_path: Path, words: list[str], expected: list[str]
) -> None:
    for name in ("a.jsonl", "a b.jsonl", "b.txt"):
        (tmp_path / name).touch()
    assert offered(script, tmp_path, *words) == expected


def test_a_person_presses_tab(script: Path, tmp_path: Path) -> None:
    """A whole interactive shell on a terminal: what was begun is finished."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PS1": "ready>", "TERM": "dumb", "HISTFILE": ""}
    command = ["bash", "--norc", "--noprofile", "-i"]
    with subprocess.Popen(  # noqa: S603 - our own words
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, env=environment,
        start_new_session=True,
    ) as shell:  # fmt: skip
        os.close(theirs)
        os.write(ours, f"source {script}\nstayline() {{ printf 'got[%s]' \"$@\"; }}\n".encode())
        os.write(ours, b"stayline jour\texp\t--outp\tx\n")
        said = b""
        while b"got[x]" not in said and select.select([ours], [], [], 10)[0]:
            said += os.read(ours, 4_096)
        shell.kill()
    os.close(ours)
    assert re.search(rb"got\[journal\]got\[export\]got\[--output\]got\[x\]", said), said
