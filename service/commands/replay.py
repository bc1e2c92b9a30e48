"""`stayline replay`: see service/simulator/replay/client.py, which does it."""

import argparse
import asyncio

from service.commands.command import Command
from service.simulator.replay import client, options, report


def _run(asked: argparse.Namespace) -> int:
    return asyncio.run(client.run(asked))


COMMAND = Command(
    name="replay",
    summary="call a running server with recorded audio",
    run=_run,
    add_to=options.add_arguments,
    about=client.ABOUT,
    wrong_words=report.USAGE,
)
