import shutil
from pathlib import Path

import pytest

from service.commands.completion import zsh
from service.commands.completion.words import places
from service.commands.line import parser
from tests.commands.completion.shells import check_complete, check_readable

SCRIPT = zsh.script(list(places(parser())))


def test_every_command_and_option_is_in_it() -> None:
    check_complete(SCRIPT)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_the_shell_itself_can_read_it(tmp_path: Path) -> None:
    check_readable("zsh", SCRIPT, tmp_path)
