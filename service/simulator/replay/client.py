"""`stayline replay`: call a running server with recorded audio, harm the call, and judge what came back.

Exit codes: see report.py. Everything wrong about the usage is one sentence on standard error.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from service.errors import ConfigError
from service.simulator import credentials, recording
from service.simulator.account import Account, AfterError, Terms
from service.simulator.answering import party
from service.simulator.credentials import Credentials
from service.simulator.exchange.exchange import Exchange
from service.simulator.phone import Phone
from service.simulator.replay import expectation, report as r, script as s
from service.simulator.replay.api import Api, Snapshot
from service.simulator.replay.director import Director
from service.simulator.replay.screen import Screen
from service.simulator.words import duration_ms

ABOUT = """Call a running server with recorded audio, harm the call, and judge what came back.

    stayline replay name.ulaw ticket.ulaw --drop-at 3.2s --drop-on agent-speaks:2+300:half-open \\
        --digits-at 8s:1w2 --expect streams>=3 --record heard.wav --junit report.xml
    stayline replay human_please.ulaw --dial-outcome no-answer --message 4s --expect messages=1

Exit codes: 0 as expected, 1 an expectation failed, 2 the agent never spoke, 3 it broke the protocol, 4 wrong
words, 5 nobody answered.
"""
PORT_MAX = 65_535


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that the command line says, read and checked."""

    script: s.Script
    found: Credentials
    terms: Terms
    expectations: tuple[expectation.Expectation, ...]
    server_url: str
    rest_port: int


async def run(options: argparse.Namespace) -> int:
    """Make the call that the options ask for. Returns the exit code."""
    try:
        plan = read(options)
    except (ConfigError, ValueError) as error:
        return _complain(error)
    try:
        account = Account(plan.found.account_sid, plan.found.auth_token)
        async with Exchange(
            account,
            server_url=plan.server_url,
            public_url=options.public_url,
            rest_port=plan.rest_port,
            terms=plan.terms,
        ) as exchange:
            return await _call(exchange, plan, options)
    except (ConfigError, OSError) as error:
        return _complain(error)


def read(options: argparse.Namespace) -> Plan:
    """Read all the words of the options; raises ValueError or ConfigError with one clear sentence."""
    parts = urlsplit(options.server)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"--server is an http or https URL, not {options.server!r}")
    port = options.rest_port or str(parts.port + 1 if parts.port else 0)
    if not port.isdecimal() or int(port) > PORT_MAX:
        raise ValueError(f"--rest-port is a port, not {port!r}")
    added = [text.partition("=") for text in options.parameters]
    if not all(name and equals for name, equals, _ in added):
        raise ValueError("--parameters are written NAME=VALUE")
    after = next((way for way in AfterError if way.value == options.after_drop), None)
    if after is None:
        raise ValueError(f"--after-drop is action, verb or nothing, not {options.after_drop!r}")
    asked = Credentials(options.account_sid, options.auth_token, options.api_token)
    found = credentials.find(asked, os.environ)
    if options.digits_at and not found.api_token:
        raise ValueError("--digits-at asks the service's API: give --api-token or set API_TOKENS")
    return Plan(
        script=s.script(
            options.files,
            drops_at=options.drop_at,
            drops_on=options.drop_on,
            digits=options.digits_at,
            presses=options.press_at,
            hang_up=options.hang_up_at,
            talk_over=options.talk_over,
            length=options.max_duration,
        ),
        found=found,
        terms=Terms(
            clear_echoes=options.clear_echoes,
            echoes=options.echoes,
            after_error=after,
            action_on_cut=options.action_on_cut,
            party=party(options.dial_outcome),
            message_ms=duration_ms(options.message),
            parameters=tuple((name, value) for name, _, value in added),
        ),
        expectations=tuple(map(expectation.parse, options.expect)),
        server_url=options.server.rstrip("/"),
        rest_port=int(port),
    )


async def _call(exchange: Exchange, plan: Plan, options: argparse.Namespace) -> int:
    api = Api(plan.server_url, plan.found.api_token) if plan.found.api_token else None
    # With the report on standard output, that must hold nothing else.
    screen = Screen(sys.stderr if options.json_ == "-" else sys.stdout)
    phone = await exchange.call(from_=options.from_, to=options.to)
    director = Director(phone, plan.script, api)
    watching = asyncio.get_running_loop().create_task(screen.watch(phone))
    try:
        await director.run()
        await watching
    finally:
        watching.cancel()
        if api is not None:
            await api.close()
    digits = [cue.what.digits for cue in plan.script.cues if isinstance(cue.what, s.AskDigits)]
    outcome = r.Outcome(
        timeline=phone.timeline,
        call_sid=phone.call_sid,
        ended_by=phone.course.ended_by,
        is_done=director.is_done,
        refusals=tuple(director.refusals),
        digits=tuple(digits),
        snapshot=director.snapshot,
    )
    report = r.judge(outcome, plan.expectations)
    if isinstance(director.snapshot, Snapshot):
        screen.retell(director.snapshot.call)
    screen.conclude(report)
    await asyncio.to_thread(_keep, report, phone, options)
    return report.exit_code


def _keep(report: r.Report, phone: Phone, options: argparse.Namespace) -> None:
    if options.record:
        options.record.write_bytes(recording.wav(phone.heard()))
    if options.trace:
        options.trace.write_text(report.timeline.lines(), encoding="utf-8")
    if options.junit:
        options.junit.write_text(r.junit(report), encoding="utf-8")
    if options.json_ == "-":
        sys.stdout.write(r.json(report))
    elif options.json_:
        Path(options.json_).write_text(r.json(report), encoding="utf-8")


def _complain(error: Exception) -> int:
    sys.stderr.write(f"stayline replay: {error}\n")
    return r.USAGE
