"""`stayline chaos`: see service/chaos/command.py, which does it."""

from service.chaos import command, options
from service.commands.command import Command

COMMAND = Command(
    name="chaos",
    summary="harm many calls at once, and judge what came of it",
    run=command.run_with,
    add_to=options.add_arguments,
    about=command.ABOUT,
)
