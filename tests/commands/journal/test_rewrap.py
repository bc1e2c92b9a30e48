"""Wrapping the keys of calls anew."""

import json

import pytest

from service.commands.line import run
from tests.commands.journal.sealed import NUMBER, kept, text
from tests.journal.sealing import seal_key

pytestmark = pytest.mark.usefixtures("sealed")


def test_keys_are_wrapped_anew(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(("CA1", NUMBER), ("CA2", "+1"))
    newer = text(seal_key("k2"))
    monkeypatch.setenv("SEAL_KEYS", newer)
    assert run(["journal", "rewrap"]) == 1
    monkeypatch.setenv("SEAL_KEYS", f"{newer},{text(seal_key('k1'))}")
    assert run(["journal", "rewrap"]) == 0
    monkeypatch.setenv("SEAL_KEYS", newer)
    assert run(["journal", "rewrap"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(" keys")[0] for line in told] == ["0", "2", "0"]


def test_without_keys_there_is_nothing_to_wrap_under(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(("CA1", NUMBER))
    monkeypatch.delenv("SEAL_KEYS")
    assert run(["journal", "rewrap"]) == 2
    assert capsys.readouterr().err.startswith("stayline: SEAL_KEYS: ")
    assert run(["journal", "export", "CA1"]) == 2
    assert "is sealed" in capsys.readouterr().err


def test_a_program_hears_it_as_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    kept(("CA1", NUMBER))
    assert run(["journal", "rewrap", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"anew": 0, "current": 1, "unreadable": 0}
