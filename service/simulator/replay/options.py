"""The options of `stayline replay`. What they say is read by client.py, so that all errors are alike."""

import argparse
from pathlib import Path

from service.simulator.account import AfterError

SERVER = "http://127.0.0.1:8000"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add all of them."""
    add = parser.add_argument
    files = ".ulaw, .wav, or pause:1.5s; said one after the other"
    add("files", nargs="*", metavar="FILE", help=files)
    add("--server", metavar="URL", default=SERVER, help=f"where the service listens ({SERVER})")
    add("--from", dest="from_", metavar="NUMBER", default="+15550001", help="the caller's number")
    add("--to", metavar="NUMBER", default="+15550002", help="the number that is called")
    _add_course(parser)
    _add_carrier(parser)
    _add_reports(parser)
    add_access(parser)


def add_access(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add what opens a server's doors: its address, and the credentials of its carrier and its API."""
    kept = "var/development.json"
    for name, metavar, text in (
        ("public-url", "URL", "the URL that the service knows of itself"),
        ("rest-port", "PORT", "port of the REST API (the server's port + 1)"),
        ("auth-token", "TOKEN", f"else TWILIO_AUTH_TOKEN, else {kept}"),
        ("account-sid", "SID", f"else TWILIO_ACCOUNT_SID, else {kept}"),
        ("api-token", "TOKEN", f"else the first of API_TOKENS, else {kept}"),
    ):
        parser.add_argument(f"--{name}", metavar=metavar, default="", help=text)


def _add_course(parser: argparse.ArgumentParser) -> None:
    """Add what happens in the call."""
    add = parser.add_argument
    for name, text in (
        ("drop-at", "TIME[:KIND], for example 3.2s:half-open"),
        ("drop-on", "agent-speaks:N[+MS][:KIND] or caller-speaks:N[+MS][:KIND]"),
        ("digits-at", "TIME:DIGITS, asks the service to send digits"),
        ("press-at", "TIME:KEYS, the caller presses keys"),
        ("parameters", "NAME=VALUE, added to the stream's parameters"),
        ("expect", "NAME=VALUE, NAME>=NUMBER …"),
    ):
        add(f"--{name}", action="append", default=[], metavar="WHAT", help=text + " (repeatable)")
    add("--hang-up-at", default="", metavar="TIME", help="when the caller hangs up")
    add("--talk-over", action="store_true", help="speak at once and wait for nobody")
    add("--max-duration", default="60s", metavar="TIME", help="hang up then at the latest (60s)")


def _add_carrier(parser: argparse.ArgumentParser) -> None:
    """Add how the carrier behaves, and who answers."""
    add = parser.add_argument
    flag = argparse.BooleanOptionalAction
    add("--clear-echoes", action=flag, default=True, help="clear sends the pending marks back")
    add("--echoes", action=flag, default=True, help="marks are echoed at all")
    add("--action-on-cut", action="store_true", help="a REST update asks the cut verb's action too")
    ways = [way.value for way in AfterError]
    add("--after-drop", default=ways[0], metavar="|".join(ways), help="how the carrier goes on")
    add("--dial-outcome", default="answered", metavar="OUTCOME", help="answered[:RING[:TALK]] …")
    said = "what the caller says after a beep; 0s: none"
    add("--message", default="3s", metavar="TIME", help=said)


def _add_reports(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--record", type=Path, metavar="FILE.wav", help="what the caller heard")
    add("--trace", type=Path, metavar="FILE.jsonl", help="everything that happened")
    add("--json", dest="json_", metavar="FILE", help="the report; - for standard output")
    add("--junit", type=Path, metavar="FILE", help="the report as JUnit XML")
