"""`stayline replay`: see service/simulator/client.py, which does it."""

import argparse
import asyncio

from service.commands.command import Command
from service.simulator import client, report


def _run(options: argparse.Namespace) -> int:
    return asyncio.run(client.run(options))


COMMAND = Command(
    name="replay",
    summary="call a running server with recorded audio",
    run=_run,
    add_to=client.add_arguments,
    about=client.ABOUT,
    wrong_words=report.USAGE,
)
