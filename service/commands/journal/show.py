"""`stayline journal show`: one call to read, or all calls of the store in a line each."""

import argparse
import json
import sys

from service.call.shown.minutes import minutes
from service.call.shown.view import timestamp, view
from service.commands.command import DONE, OTHERWISE, Command, add_json, plain
from service.commands.journal import store
from service.commands.progress import Progress
from service.errors import BadRecording, SealBroken
from service.journal.seal.journal import SealedJournal
from service.web.reading.showing import Showing, Showings


def _add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("call_sid", metavar="CALL_SID", nargs="?", help="default all, a line each")
    store.add_to(parser)
    add_json(parser, "the call, or one object a call and line,")


def _run(options: argparse.Namespace) -> int:
    config = store.configured(options)
    if not options.call_sid:
        return store.in_store(config, lambda journal: _all(journal, as_json=options.json))

    async def work(journal: SealedJournal) -> Showing | None:
        return await Showings(journal).of(options.call_sid)

    showing = store.in_store(config, work)
    if showing is None:
        raise BadRecording("the store has no such call")
    sys.stdout.write(_object(showing) if options.json else minutes(showing.timeline))
    return DONE


async def _all(journal: SealedJournal, *, as_json: bool) -> int:
    showings, unreadable = Showings(journal, calls_max=1), 0
    headlines = await journal.open_calls()
    with Progress("reading") as progress:
        for number, headline in enumerate(headlines):
            progress.show(number, len(headlines))
            try:
                showing = await showings.of(headline.call_sid)
            except SealBroken:
                unreadable += 1
                continue
            if showing is not None:
                sys.stdout.write(_object(showing) if as_json else line(showing))
    if unreadable:
        sys.stderr.write(f"stayline: {unreadable} calls can't be opened with these SEAL_KEYS.\n")
    return OTHERWISE if unreadable else DONE


def _object(showing: Showing) -> str:
    return json.dumps(view(showing.call, incarnation=showing.incarnation)) + "\n"


def line(showing: Showing) -> str:
    """Return a call in one line: its name, how it stands, since when, streams and drops, records."""
    call = showing.call
    about = " ".join(
        value for name in ("client_name", "ticket_id") if (value := call.parameters.get(name, ""))
    )
    told = [
        call.call_sid,
        call.phase,
        timestamp(call.opened_ms),
        f"{len(call.streams)} streams",
        f"{showing.position} records",
        *([plain(about)] if about else []),
    ]
    return "  ".join(told) + "\n"


COMMAND = Command(
    name="show",
    summary="read a call, or list the calls of the store",
    run=_run,
    add_to=_add_to,
    about="Read a call: what was said, what was not heard, where the line was gone. Without CALL_SID all calls,"
    " a line each. What is shown are the caller's words.",
)
