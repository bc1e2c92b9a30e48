"""`stayline number connect`: a phone number of the account, pointed at this server."""

import argparse
import asyncio
import json
import sys
from urllib.parse import urlsplit

import httpx2

from service import config as settings
from service.clock import Clock
from service.commands.account import Account
from service.commands.command import DONE, OTHERWISE, Command, add_json, plain
from service.commands.pointing import PhoneNumber, changes, spelled, taken, wanted
from service.commands.webhooks import Webhooks
from service.config import LOOPBACK, Config
from service.errors import ConfigError

ANSWER_S_MAX = 10  # a person waits


def _add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("number", metavar="NUMBER", help="of the account, as +15551234567")
    parser.add_argument(
        "--replace",
        action="store_true",
        help="take it from what it leads to now, if that is not us",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would change, and change nothing"
    )
    add_json(parser, "what was changed")


def _run(options: argparse.Namespace) -> int:
    config = settings.load()
    check(config)
    return asyncio.run(_connect(config, options))


def check(config: Config) -> None:
    """Refuse settings with which no number can be connected. Raises ConfigError."""
    if config.is_development:
        raise ConfigError("TWILIO_AUTH_TOKEN: not set; the number is the account's, not ours")
    is_rehearsal = urlsplit(config.twilio_api_url).hostname in LOOPBACK
    if urlsplit(config.public_url).hostname in LOOPBACK and not is_rehearsal:
        raise ConfigError(
            "PUBLIC_URL: set it to the address that the carrier reaches, https://…; from there"
            f" {config.public_url} leads nowhere"
        )


async def _connect(config: Config, options: argparse.Namespace) -> int:
    webhooks = Webhooks.of(config)
    async with httpx2.AsyncClient(timeout=ANSWER_S_MAX) as client:
        account = Account(config, client, Clock())
        found = await account.numbers(options.number)
        if not found:
            raise ConfigError(
                f"the account {config.twilio_account_sid} has no number {spelled(options.number)}"
            )
        number = found[0]
        form = wanted(number, webhooks)
        trouble = _trouble(number, webhooks, options)
        if form and not trouble and not options.dry_run:
            await account.change(number, form)
    _tell(options, number, form, trouble)
    return OTHERWISE if trouble else DONE


def _trouble(number: PhoneNumber, webhooks: Webhooks, options: argparse.Namespace) -> str:
    if not number.can_speak:
        return "it takes no calls (no voice capability)"
    if options.replace:
        return ""
    why = taken(number, webhooks)
    return f"{why}; --replace takes it from there" if why else ""


def _tell(
    options: argparse.Namespace, number: PhoneNumber, form: dict[str, str], trouble: str
) -> None:
    changed = {} if trouble else changes(number, form)
    if options.json:
        told = {
            "number": number.phone_number,
            "sid": number.sid,
            "changed": {name: list(both) for name, both in changed.items()},
            "is_dry_run": options.dry_run,
            "trouble": trouble,
        }
        sys.stdout.write(f"{json.dumps(told)}\n")
        return
    if trouble:
        sys.stderr.write(f"stayline: {number.phone_number} stays as it is: {plain(trouble)}\n")
        return
    for name, (before, after) in changed.items():
        sys.stdout.write(f"  {name}: {plain(before) or '-'} -> {after or '-'}\n")
    said = "would lead" if options.dry_run and changed else "leads"
    rest = "" if changed else "; nothing had to be changed"
    sys.stdout.write(f"{number.phone_number} {said} here{rest}.\n")


COMMAND = Command(
    name="connect",
    summary="point a number of the account at this server",
    run=_run,
    add_to=_add_to,
    about="Set a number's voice URL, fallback URL and status callback at the carrier, all to PUBLIC_URL. A number that"
    " leads elsewhere stays as it is, unless --replace is given.",
)
