import pytest

from service.commands.completion.command import SHELLS
from service.commands.line import run


@pytest.mark.parametrize("shell", sorted(SHELLS))
def test_a_script_is_printed_for_each_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    said = capsys.readouterr().out
    assert f"Completion of `stayline` for {shell}" in said
    assert "rewrap" in said


def test_another_shell_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "csh"]) == 2
    assert capsys.readouterr().err.startswith("stayline completion: argument shell: invalid choice")
