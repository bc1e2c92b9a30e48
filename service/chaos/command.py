"""`stayline chaos`: many calls at once, real sockets, seeded harm, and a judgement."""

import argparse
import asyncio
import logging
import os
import resource
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from service.chaos.ground import own_credentials
from service.chaos.plan import Plan
from service.chaos.report import Report
from service.chaos.run import run
from service.chaos.screen import Screen
from service.errors import ConfigError, StaylineError
from service.simulator import credentials
from service.simulator.credentials import Credentials

ABOUT = """Harm many calls at once on real sockets, by a seed, and judge what came of it.

    stayline chaos --calls 50 --drops 1000 --seed 7 --kill-every 50 --json chaos.json
    stayline chaos --server https://calls.example.org --calls 20 --drops 200

Without --server it starts two servers of its own, with speech in text so that many calls need no core for
engines, and may kill and freeze them and pause their store. With --server it harms the network before
a deployment of yours, and needs its account, its auth token and an API token (see `stayline replay`).
Exit codes: 0 every rule was kept, 1 one was broken, 2 wrong usage or nothing to call.
"""
KEPT, BROKEN, USAGE = range(3)
CALLS_MAX = 2_000  # more than one machine plays in real time
DROPS_MAX = 1_000_000
PORT_MAX = 65_535
SHOWN_MAX = 2_000  # letters of an error


def run_with(options: argparse.Namespace) -> int:
    """Run the command with these options. Returns the exit code."""
    try:
        plan, found = read(options)
        _room_for(plan)
        # What the callers' own libraries say of broken connections is what is being tested.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        folder = Path(options.folder or tempfile.mkdtemp(prefix="stayline-chaos-")).absolute()
        with Screen(sys.stderr) as screen:
            report = asyncio.run(run(plan, folder, found, screen.show))
        _keep(report, options)
    except (StaylineError, ValueError, OSError) as trouble:
        sys.stderr.write(f"stayline chaos: {str(trouble)[:SHOWN_MAX]}\n")
        return USAGE
    sys.stdout.write(report.text() + "\n")
    if report.broken:
        sys.stdout.write(f"The servers' logs and each such call's story: {folder}\n")
        return BROKEN
    if not options.folder:
        shutil.rmtree(folder, ignore_errors=True)
    return KEPT


def read(options: argparse.Namespace) -> tuple[Plan, Credentials]:
    """Read and check all the words. Raises ConfigError with one clear sentence."""
    for name, least, most in (
        ("calls", 1, CALLS_MAX),
        ("at_once", 0, CALLS_MAX),
        ("drops", 1, DROPS_MAX),
        ("kill_every", 0, DROPS_MAX),
        ("freeze_every", 0, DROPS_MAX),
        ("pause_every", 0, DROPS_MAX),
        ("seed", 0, 2**32),
        ("media_ms", 20, 1_000),
        ("apart_ms", 100, 600_000),
    ):
        if not least <= getattr(options, name) <= most:
            raise ConfigError(f"--{name.replace('_', '-')} is a number from {least} to {most}")
    fields = {one: getattr(options, one) for one in Plan.__struct_fields__ if one != "from_"}
    plan = Plan(**{**fields, "rest_port": _port(options.rest_port)})
    if plan.is_ours:
        return plan, own_credentials()
    parts = urlsplit(plan.server)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(f"--server is an http or https URL, not {plan.server!r}")
    asked = Credentials(options.account_sid, options.auth_token, options.api_token)
    found = credentials.find(asked, os.environ)
    if not found.api_token:
        raise ConfigError("what was acknowledged is read from the API: give --api-token")
    port = plan.rest_port or (parts.port + 1 if parts.port else 0)
    return msgspec.structs.replace(plan, server=plan.server.rstrip("/"), rest_port=port), found


def _port(text: str) -> int:
    """Read a port, 0 where none is named. Raises ConfigError."""
    if text and (not text.isdecimal() or int(text) > PORT_MAX):
        raise ConfigError(f"--rest-port is a number from 0 to {PORT_MAX}")
    return int(text or 0)


def _keep(report: Report, options: argparse.Namespace) -> None:
    if options.json_:
        shown = msgspec.json.format(msgspec.json.encode(report.told()), indent=2)
        options.json_.write_bytes(shown + b"\n")
    if options.markdown:
        options.markdown.write_text(report.markdown(), encoding="utf-8")


def _room_for(plan: Plan) -> None:
    """Raise our limit of open sockets: a call has a handful in the proxy and here."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    at_once = plan.waves()[0][0]
    wanted = 1_024 + 16 * at_once
    if most != resource.RLIM_INFINITY and wanted > most:
        raise ConfigError(f"{at_once} calls need {wanted} open files; the limit here is {most}")
    resource.setrlimit(
        resource.RLIMIT_NOFILE,
        (max(wanted, 4_096) if most == resource.RLIM_INFINITY else most, most),
    )
