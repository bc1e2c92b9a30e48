"""`stayline journal erase`: a call, or all that is kept about a person or a matter."""

import argparse
import json
import secrets
import sys

from service.clock import Clock
from service.commands.command import DONE, OTHERWISE, Command, add_json
from service.commands.journal import store
from service.commands.progress import Progress
from service.journal.seal.journal import SealedJournal
from service.journal.values import Headline
from service.session.kept.erasing import About, found
from service.trust.tenants import DEFAULT_TENANT


def _add_to(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("call_sid", metavar="CALL_SID", nargs="?")
    what.add_argument("--number", default="", help="the caller's, E.164")
    what.add_argument("--ticket", default="", help="what the calls were about")
    parser.add_argument("--tenant", default=DEFAULT_TENANT, help="whose calls; default %(default)s")
    store.add_to(parser)
    add_json(parser, "what was erased")


def _run(options: argparse.Namespace) -> int:
    async def work(journal: SealedJournal) -> int:
        calls, unreadable = await _meant(journal, options)
        now_ms = Clock().now_ms()
        over = [one for one in calls if one.lease is None or one.lease.until_ms <= now_ms]
        with Progress("erasing") as progress:
            for number, headline in enumerate(over):
                progress.show(number, len(over))
                await journal.erase(headline.call_sid)
        _tell(options, len(over), len(calls) - len(over), unreadable)
        return OTHERWISE if unreadable or len(over) < len(calls) else DONE

    return store.in_store(store.configured(options), work)


def _tell(options: argparse.Namespace, erased: int, held: int, unreadable: int) -> None:
    receipt = secrets.token_hex(8)
    if options.json:
        told = {"erased": erased, "held": held, "unreadable": unreadable, "receipt": receipt}
        sys.stdout.write(f"{json.dumps(told)}\n")
        return
    sys.stdout.write(
        f"{erased} calls erased, {held} go on and stay, {unreadable} could"
        f" not be looked into. Receipt {receipt}.\n"
    )


async def _meant(journal: SealedJournal, options: argparse.Namespace) -> tuple[list[Headline], int]:
    if options.call_sid:
        calls = await journal.open_calls()
        return [one for one in calls if one.call_sid == options.call_sid], 0
    about = About(options.tenant, options.number, options.ticket)
    with Progress("looking") as progress:
        looked = await found(journal, about, progress.show)
    return [headline for headline, _ in looked.calls], looked.unreadable


COMMAND = Command(
    name="erase",
    summary="erase calls, their keys first",
    run=_run,
    add_to=_add_to,
    about="Erase a call, or all that is kept about a person or a matter: the keys first. A call that goes on"
    " stays, and the exit code is 1.",
)
