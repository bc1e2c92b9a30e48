"""Erasing calls from a store."""

import json

import pytest

from service.commands.line import run
from tests.commands.journal.sealed import NUMBER, kept, left

pytestmark = pytest.mark.usefixtures("sealed")


def test_a_call_or_a_persons_calls_are_erased(capsys: pytest.CaptureFixture[str]) -> None:
    kept(("CA1", NUMBER), ("CA2", "+1"), ("CA3", NUMBER), ("CA4", "+1"))
    assert run(["journal", "erase", "CA2"]) == 0
    assert left() == ["CA1", "CA3", "CA4"]
    assert run(["journal", "erase", "--number", NUMBER]) == 0
    assert left() == ["CA4"]
    told = capsys.readouterr().out
    assert "2 calls erased" in told
    assert NUMBER not in told
    assert run(["journal", "erase", "--ticket", "T1", "--tenant", "acme"]) == 0


def test_a_call_that_is_held_stays(capsys: pytest.CaptureFixture[str]) -> None:
    kept(("CA1", NUMBER), held_ms=2**52)
    assert run(["journal", "erase", "CA1"]) == 1
    assert left() == ["CA1"]
    assert "1 go on" in capsys.readouterr().out


def test_a_program_hears_it_as_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    kept(("CA1", NUMBER))
    assert run(["journal", "erase", "--number", NUMBER, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["erased"], told["held"], told["unreadable"]) == (1, 0, 0)
    assert told["receipt"]
