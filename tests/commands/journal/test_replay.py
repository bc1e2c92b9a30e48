"""Recorded calls, decided again, and every end in one line."""

import json
import os
from pathlib import Path

import pytest

from service.call.policy import Policy
from service.call.replay.recording import decode, encode
from service.call.replay.replay import replay
from service.commands.journal import replay as module
from service.commands.line import run
from tests.call.replay.scenes import returning, talking, taped, working
from tests.call.story import Story, greeted

pytestmark = pytest.mark.usefixtures("alone")


def file(path: Path, story: Story, policy: Policy | None = None) -> str:
    path.write_bytes(encode(taped(story, policy)))
    return str(path)


def test_a_divergence_is_told_in_three_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = file(tmp_path / "a.jsonl", talking())
    other = file(tmp_path / "b.jsonl", returning(), Policy(drops_max=0))
    assert run(["journal", "replay", same, other]) == 1
    first, second, happened, recorded, decided = capsys.readouterr().out.splitlines()
    assert ": the same. Of " in first
    assert ": it parts at record " in second
    assert happened.startswith("  happened  Attached {")
    assert recorded.startswith('  recorded  {"kind":')
    assert decided.startswith('  decided   {"kind":"drop_limit_reached"')


def test_a_program_gets_one_object_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = file(tmp_path / "a.jsonl", talking())
    assert run(["journal", "replay", name, name, "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["file"] for one in told] == [name, name]
    assert told[0]["is_same"] is True
    assert told[0]["compared"] == told[0]["tally"]["followed"] + told[0]["tally"]["given"]


def test_it_can_be_decided_by_this_machines_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = file(tmp_path / "a.jsonl", returning())
    monkeypatch.setenv("DROP_LIMIT", "1/600")
    assert run(["journal", "replay", name, "--settings"]) == 1
    assert "Rules: given." in capsys.readouterr().out
    assert run(["journal", "replay", name]) == 0


def test_the_worst_of_several_files_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(b"RIFF\0\0")
    good = file(tmp_path / "a.jsonl", talking())
    assert run(["journal", "replay", str(bad), good]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"stayline: {bad}: line 1 is no head of a recorded call: ")
    assert said.err.count("\n") == 1
    assert ": the same. " in said.out


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("none.jsonl", "stayline: none.jsonl: No such file or directory\n"),
        (".", "stayline: .: Is a directory\n"),
    ],
)
def test_what_cannot_be_read_is_one_line(
    file: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["journal", "replay", file]) == 2
    said = capsys.readouterr()
    assert said.err == line
    assert not said.out


def test_a_file_that_is_too_long_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "FILE_BYTES_MAX", 1 << 20)
    long = tmp_path / "long.jsonl"
    long.touch()
    os.truncate(long, (1 << 20) + 1)
    assert run(["journal", "replay", str(long)]) == 2
    assert "is longer than 1 MiB" in capsys.readouterr().err


def test_another_state_and_nothing_to_compare_are_told() -> None:
    tape = taped(greeted(Policy()))
    text = encode(tape).replace(tape.head.state.encode(), b"0" * 64)
    assert ": the same decisions, but another state at the end. " in module.shown(
        "x", replay(decode(text))
    )
    story = Story()
    story.opened()
    told = module.shown("x", replay(taped(story)))
    assert ": nothing could be compared. " in told
    assert module.shown("x", replay(taped(working()))).endswith(
        "Not compared: 2 from outside, 1 that fit only a supposed input. Rules: recorded."
    )


@pytest.mark.parametrize("words", [[], ["replay"], ["export"], ["play", "x"]])
def test_wrong_words_are_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["journal", *words]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("stayline journal")
    assert said.err.count("\n") == 1
    assert not said.out
