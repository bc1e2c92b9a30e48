"""`stayline desk`: a small ticket desk to try tools with, on loopback until it is told to stop."""

import argparse
import json
import sys

import uvicorn

from service.commands.command import DONE, Command, add_json
from service.desk import create_desk

PORT = 8002


def _add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=int, default=PORT, metavar="PORT", help=f"on loopback; default {PORT}"
    )
    add_json(parser, "where it listens")


def _run(options: argparse.Namespace) -> int:
    url = f"http://127.0.0.1:{options.port}"
    told = (
        json.dumps({"url": url})
        if options.json
        else f"The ticket desk is at {url}. Ctrl-C ends it."
    )
    sys.stderr.write(f"{told}\n")
    uvicorn.run(create_desk(), host="127.0.0.1", port=options.port, log_level="error")
    return DONE


COMMAND = Command(
    name="desk",
    summary="keep a small ticket desk to try tools with",
    run=_run,
    add_to=_add_to,
)
