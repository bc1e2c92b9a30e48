"""`stayline doctor`: whether this machine, its store, its address and its numbers are fit to take calls."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
from starlette.applications import Starlette

from service import config as settings_of, logs
from service.app import create_app
from service.clock import Clock
from service.commands.command import DONE, OTHERWISE, Command, add_json
from service.commands.doctor import address, numbers, settings, store
from service.commands.doctor.finding import Finding, State, worst
from service.commands.doctor.numbers import Wish
from service.commands.progress import Progress
from service.commands.webhooks import Webhooks
from service.config import Config
from service.errors import ConfigError

ANSWER_S_MAX = 10  # of the carrier's API and of our own address

Make = Callable[[Config], Starlette]


def _add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--number",
        action="append",
        default=[],
        metavar="NUMBER",
        help="look at this number of the account (repeatable); default those that lead here",
    )
    parser.add_argument(
        "--fix",
        action="store_true",
        help="set the addresses of numbers that are free or lead here in part",
    )
    add_json(parser, "the findings")


def _run(options: argparse.Namespace) -> int:
    wish = Wish(numbers=tuple(options.number), is_fix=options.fix)
    logs.set_up("CRITICAL")  # what is found is told once, as a finding
    with Progress("looking") as progress:
        findings, line = asyncio.run(examined(wish, progress.name))
    state = worst(findings)
    if options.json:
        told = {
            "state": state,
            "findings": [vars(one) for one in findings],
            "update_line": line,
        }
        sys.stdout.write(f"{json.dumps(told)}\n")
    else:
        sys.stdout.write("".join(f"{one.line()}\n" for one in findings))
        if line:
            sys.stdout.write(f"A number leads here by\n  {line}\n")
        sys.stdout.write(f"{_summed(findings)}\n")
    return OTHERWISE if state is State.WRONG else DONE


async def examined(
    wish: Wish, tell: Callable[[str], None], make: Make = create_app
) -> tuple[list[Finding], str]:
    """Look at everything. Returns the findings, and the line that points a number here ("" for none)."""
    clock = Clock()
    try:
        config = settings_of.load()
        sys.path.insert(0, str(Path.cwd()))  # where a user's own agent lies, as the server has it
        app = make(config)
    except ConfigError as trouble:
        advice = "nothing else can be looked at before; see the settings in README.md"
        return [Finding("settings", State.WRONG, str(trouble), advice)], ""
    findings: list[Finding] = []
    async with httpx2.AsyncClient(timeout=ANSWER_S_MAX) as client:
        tell("settings")
        findings += await settings.look(config, app)
        tell("store")
        findings += await store.look(config, clock)
        tell("account and numbers")
        findings += await numbers.look(config, client, clock, wish)
        tell("public address")
        findings += await address.look(config, client)
    meant = wish.numbers[0] if wish.numbers else "+1…"
    return findings, "" if config.is_development else Webhooks.of(config).update_line(meant)


def _summed(findings: list[Finding]) -> str:
    counts = {state: sum(one.state is state for one in findings) for state in State}
    told = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return f"Looked at {len(findings)} things: {told}."


COMMAND = Command(
    name="doctor",
    summary="look whether everything is fit to take calls, and say what is not",
    run=_run,
    add_to=_add_to,
    about="Look at the settings, the store, the clock, the carrier's account and numbers, the public address, and the"
    " signatures between them. Exit code 1 when something is wrong. With --fix it sets the voice URL, the fallback"
    " URL and the status callback of numbers that are free or lead here in part; what serves something else stays.",
)
