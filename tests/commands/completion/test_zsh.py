import shutil
import subprocess
from pathlib import Path

import pytest

from service.commands.completion import zsh
from service.commands.completion.words import places
from service.commands.line import parser


def script() -> str:
    return zsh.script(list(places(parser())))


def test_every_command_and_option_is_in_it() -> None:
    text = script()
    for place in places(parser()):
        assert all(name in text for name, _ in place.words)
        for flag in place.flags:
            assert all(name.lstrip("-") in text for name in flag.names)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_the_shell_itself_can_read_it(tmp_path: Path) -> None:
    file = tmp_path / "stayline.zsh"
    file.write_text(script(), encoding="utf-8")
    words = ["zsh", "-n", str(file)]
    done = subprocess.run(words, capture_output=True, check=False)  # noqa: S603 - our own words
    assert (done.returncode, done.stderr) == (0, b"")
