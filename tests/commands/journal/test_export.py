"""A call out of a real store, as a file."""

import json
from pathlib import Path

import pytest

from service.call.policy import Policy
from service.call.replay.recording import decode
from service.call.replay.replay import replay
from service.commands.line import run
from tests.call.replay.scenes import working
from tests.call.story import greeted
from tests.commands.journal.stored import CALL_SID, stored

pytestmark = pytest.mark.usefixtures("alone")


def test_a_call_is_exported_and_decided_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, out = stored(tmp_path / "s.db", greeted(Policy())), tmp_path / "call.jsonl"
    assert run(["journal", "export", CALL_SID, "--store", url, "-o", str(out)]) == 0
    tape = decode(out.read_bytes())
    assert (tape.head.call_sid, tape.head.records) == (CALL_SID, len(tape.entries))
    assert tape.head.incarnation
    assert tape.head.policy == Policy()
    assert out.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("call")] == ["call.jsonl"]
    assert run(["journal", "replay", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"{out}: {CALL_SID}: the same. Of ")
    assert said.out.endswith("Not compared: 1 from outside. Rules: recorded.\n")
    assert not said.err


def test_without_a_file_it_goes_to_standard_output(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_URL", stored(tmp_path / "s.db", greeted(Policy())))
    assert run(["journal", "export", CALL_SID]) == 0
    assert decode(capfdbinary.readouterr().out).head.call_sid == CALL_SID


def test_a_program_hears_what_was_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, out = stored(tmp_path / "s.db", greeted(Policy())), tmp_path / "call.jsonl"
    words = ["journal", "export", CALL_SID, "--store", url, "-o", str(out), "--json"]
    assert run(words) == 0
    told = json.loads(capsys.readouterr().out)
    records = decode(out.read_bytes()).head.records
    assert told == {"call_sid": CALL_SID, "records": records, "file": str(out)}


def test_settings_that_the_call_does_not_fit_are_not_written_into_its_file(tmp_path: Path) -> None:
    """Another machine's settings may know nothing of the tools that the call used."""
    url, out = stored(tmp_path / "s.db", working()), tmp_path / "call.jsonl"
    run(["journal", "export", CALL_SID, "--store", url, "-o", str(out)])
    tape = decode(out.read_bytes())
    assert tape.head.policy is None
    assert replay(tape).is_same


def test_a_file_that_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = stored(tmp_path / "s.db", greeted(Policy()))
    out = tmp_path / "no" / "call.jsonl"
    assert run(["journal", "export", CALL_SID, "--store", url, "-o", str(out)]) == 2
    assert capsys.readouterr().err.endswith("No such file or directory\n")
