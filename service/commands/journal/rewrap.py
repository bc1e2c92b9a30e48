"""`stayline journal rewrap`: every call's key, under the newest of SEAL_KEYS."""

import argparse
import json
import sys

from service.commands.command import DONE, OTHERWISE, Command, add_json
from service.commands.journal import store
from service.commands.progress import Progress
from service.errors import ConfigError
from service.journal.seal.journal import SealedJournal
from service.journal.seal.rewrap import Rewrapped, rewrap


def _add_to(parser: argparse.ArgumentParser) -> None:
    store.add_to(parser)
    add_json(parser, "how many keys were wrapped")


def _run(options: argparse.Namespace) -> int:
    config = store.configured(options)
    if not config.seal_keys:
        raise ConfigError("SEAL_KEYS: there is no key to wrap under")

    async def work(journal: SealedJournal) -> Rewrapped:
        with Progress("wrapping") as progress:
            return await rewrap(journal, progress.show)

    done = store.in_store(config, work)
    if options.json:
        sys.stdout.write(f"{json.dumps(done._asdict())}\n")
    else:
        anew, current, unreadable = done
        sys.stdout.write(
            f"{anew} keys wrapped anew, {current} were so already, {unreadable} can't be opened.\n"
        )
    return OTHERWISE if done.unreadable else DONE


COMMAND = Command(
    name="rewrap",
    summary="wrap all calls' keys under the newest of SEAL_KEYS",
    run=_run,
    add_to=_add_to,
)
