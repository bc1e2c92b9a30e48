"""What is asked of a completion script, whatever shell it is for."""

import subprocess
from pathlib import Path

from service.commands.completion.words import places
from service.commands.line import parser


def check_complete(script: str) -> None:
    """Check that every command and option is in the script."""
    for place in places(parser()):
        assert all(name in script for name, _ in place.words)
        for flag in place.flags:
            assert all(name.lstrip("-") in script for name in flag.names)


def check_readable(shell: str, script: str, folder: Path) -> None:
    """Check that the shell itself can read the script."""
    file = folder / f"stayline.{shell}"
    file.write_text(script, encoding="utf-8")
    done = subprocess.run([shell, "-n", str(file)], capture_output=True, check=False)  # noqa: S603 - our own words
    assert (done.returncode, done.stderr) == (0, b"")
