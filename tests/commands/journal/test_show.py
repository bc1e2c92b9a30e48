"""Calls of a store, to read."""

import json
from pathlib import Path

import pytest

from service.call.policy import Policy
from service.commands.line import run
from tests.call.replay.scenes import talking
from tests.call.story import greeted
from tests.commands.journal.sealed import NUMBER, kept, text
from tests.commands.journal.stored import CALL_SID, stored
from tests.journal.sealing import seal_key

pytestmark = pytest.mark.usefixtures("alone")


def test_a_call_is_shown_as_it_was_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = stored(tmp_path / "s.db", talking())
    assert run(["journal", "show", CALL_SID, "--store", url]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Call: CA")
    assert " Agent: " in said
    assert run(["journal", "show", CALL_SID, "--store", url, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["transcript"]


def test_without_a_name_all_calls_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = stored(tmp_path / "s.db", greeted(Policy()))
    assert run(["journal", "show", "--store", url]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith(" records") or "records  " in line
    assert run(["journal", "show", "--store", url, "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_call_that_is_not_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = stored(tmp_path / "s.db", talking())
    assert run(["journal", "show", "CA2", "--store", url]) == 2
    assert capsys.readouterr().err == "stayline: the store has no such call\n"


def test_calls_that_these_keys_do_not_open_are_counted(
    sealed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sealed.exists()
    kept(("CA1", NUMBER), ("CA2", NUMBER))
    monkeypatch.setenv("SEAL_KEYS", text(seal_key("k2")))
    assert run(["journal", "show"]) == 1
    said = capsys.readouterr()
    assert not said.out
    assert said.err.startswith("stayline: 2 calls can't be opened")
