"""`stayline completion`: a script for the shell that completes every command, option and file name."""

import argparse
import sys

from service.commands.command import DONE, Command
from service.commands.completion import bash, fish, zsh
from service.commands.completion.words import places

SHELLS = {"bash": bash.script, "zsh": zsh.script, "fish": fish.script}

ABOUT = """Print a script for the shell, made from the commands themselves.

    eval "$(stayline completion bash)"      in ~/.bashrc
    eval "$(stayline completion zsh)"       in ~/.zshrc, after compinit
    stayline completion fish | source       in ~/.config/fish/config.fish
"""


def _add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=tuple(SHELLS))


def _run(options: argparse.Namespace) -> int:
    sys.stdout.write(SHELLS[options.shell](list(places(options.root))))
    return DONE


COMMAND = Command(
    name="completion",
    summary="print the completion script for a shell",
    run=_run,
    add_to=_add_to,
    about=ABOUT,
)
