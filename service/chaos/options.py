"""The options of `stayline chaos`. What they say is read by command.py."""

import argparse
from pathlib import Path

from service.chaos.callers.crowd import MEDIA_MS
from service.chaos.plan import TALKER, Plan
from service.simulator.replay.options import add_access

FOLDER = (
    "keep the servers' logs and their store here; without it they stay only when a rule was broken"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add all of them."""
    plain = Plan()
    served = "where a deployment listens; default: two servers of our own"
    parser.add_argument("--server", metavar="URL", default="", help=served)
    for name, metavar, least, text in (
        ("calls", "N", plain.calls, f"how many in all ({plain.calls})"),
        ("at-once", "N", plain.at_once, "so many of them at a time; 0: all"),
        ("drops", "N", plain.drops, f"how many in all ({plain.drops})"),
        ("seed", "N", plain.seed, "which chance"),
        ("apart-ms", "MS", plain.apart_ms, f"between two drops of one call ({plain.apart_ms})"),
        ("media-ms", "MS", MEDIA_MS, f"audio in one message ({MEDIA_MS} ms)"),
    ):
        parser.add_argument(f"--{name}", type=int, metavar=metavar, default=least, help=text)
    _add_ours(parser, plain)
    add_access(parser.add_argument_group("a deployment of yours"))
    told = parser.add_argument_group("the report")
    told.add_argument("--json", dest="json_", type=Path, metavar="FILE", help="as JSON")
    told.add_argument("--markdown", type=Path, metavar="FILE", help="as a page")


def _add_ours(parser: argparse.ArgumentParser, plain: Plan) -> None:
    add = parser.add_argument_group("our own servers").add_argument
    add("--store", choices=("sqlite", "redis"), default=plain.store, help="what they share")
    talker = "as the setting AGENT; default one that notes codes"
    add("--agent", metavar="NAME", default=TALKER, help=talker)
    for name, text in (
        ("kill", "kill a server with -9 instead of every so manieth drop"),
        ("freeze", "stop a server's process for a while (SIGSTOP) every so many drops"),
        ("pause", "stop the store for a while every so many drops"),
    ):
        least = getattr(plain, f"{name}_every")
        told = f"{text}; 0 for never ({least})"
        add(f"--{name}-every", type=int, metavar="N", default=least, help=told)
    add("--folder", metavar="FOLDER", default="", help=FOLDER)
