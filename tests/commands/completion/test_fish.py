import shutil
import subprocess
from pathlib import Path

import pytest

from service.commands.completion import fish
from service.commands.completion.words import places
from service.commands.line import parser


def script() -> str:
    return fish.script(list(places(parser())))


def test_every_command_and_option_is_in_it() -> None:
    text = script()
    for place in places(parser()):
        assert all(name in text for name, _ in place.words)
        for flag in place.flags:
            assert all(name.lstrip("-") in text for name in flag.names)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_the_shell_itself_can_read_it(tmp_path: Path) -> None:
    file = tmp_path / "stayline.fish"
    file.write_text(script(), encoding="utf-8")
    words = ["fish", "-n", str(file)]
    done = subprocess.run(words, capture_output=True, check=False)  # noqa: S603 - our own words
    assert (done.returncode, done.stderr) == (0, b"")
