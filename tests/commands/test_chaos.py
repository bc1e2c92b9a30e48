import pytest

from service.commands.line import run


def test_wrong_words_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["chaos", "--calls", "0"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("stayline chaos: --calls is a number from 1")
    assert said.count("\n") == 1
