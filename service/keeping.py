"""The `stayline journal` commands that change a store: what is kept of people, and under which keys.

stayline journal erase CALL_SID                      a call
stayline journal erase --number N | --ticket T       all that is kept about a person, or a matter
stayline journal rewrap                              every call's key, under the newest of SEAL_KEYS
"""

import argparse
import asyncio
import secrets
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from service.clock import Clock
from service.config import Config
from service.errors import ConfigError, StoreUnavailable
from service.journal.seal.journal import SealedJournal
from service.journal.seal.rewrap import rewrap
from service.journal.values import Headline
from service.parts import sealed_store
from service.session.kept.erasing import About, found
from service.tenants import DEFAULT_TENANT

DONE, PARTLY = 0, 1
STORE_WAIT_S = 10  # for a store to answer at all

Work = Callable[[SealedJournal], Coroutine[Any, Any, int]]


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Say which words the commands take."""
    erase = commands.add_parser("erase", help="erase calls, their keys first")
    what = erase.add_mutually_exclusive_group(required=True)
    what.add_argument("call_sid", metavar="CALL_SID", nargs="?")
    what.add_argument("--number", default="", help="the caller's, E.164")
    what.add_argument("--ticket", default="")
    erase.add_argument("--tenant", default=DEFAULT_TENANT, help="whose calls; default %(default)s")
    again = commands.add_parser("rewrap", help="wrap all calls' keys under the newest of SEAL_KEYS")
    for command in (erase, again):
        command.add_argument("--store", default="", metavar="URL", help="default STORE_URL")


def erase(config: Config, options: argparse.Namespace) -> int:
    """Erase what the words name. Returns PARTLY when something had to stay. Raises StaylineError."""

    async def work(journal: SealedJournal) -> int:
        calls, unreadable = await _meant(journal, options)
        now_ms = Clock().now_ms()
        over = [one for one in calls if one.lease is None or one.lease.until_ms <= now_ms]
        for headline in over:
            await journal.erase(headline.call_sid)
        sys.stdout.write(
            f"{len(over)} calls erased, {len(calls) - len(over)} go on and stay, {unreadable} could"
            f" not be looked into. Receipt {secrets.token_hex(8)}.\n"
        )
        return PARTLY if unreadable or len(over) < len(calls) else DONE

    return asyncio.run(_with_store(config, work))


async def _meant(journal: SealedJournal, options: argparse.Namespace) -> tuple[list[Headline], int]:
    if options.call_sid:
        calls = await journal.open_calls()
        return [one for one in calls if one.call_sid == options.call_sid], 0
    looked = await found(journal, About(options.tenant, options.number, options.ticket))
    return [headline for headline, _ in looked.calls], looked.unreadable


def rewrapped(config: Config) -> int:
    """Wrap all keys anew. Returns PARTLY when one could not be opened. Raises StaylineError."""
    if not config.seal_keys:
        raise ConfigError("SEAL_KEYS: there is no key to wrap under")

    async def work(journal: SealedJournal) -> int:
        anew, current, unreadable = await rewrap(journal)
        sys.stdout.write(
            f"{anew} keys wrapped anew, {current} were so already, {unreadable} can't be opened.\n"
        )
        return PARTLY if unreadable else DONE

    return asyncio.run(_with_store(config, work))


async def _with_store(config: Config, work: Work) -> int:
    journal = sealed_store(config)
    try:
        try:
            async with asyncio.timeout(STORE_WAIT_S):
                await journal.start()
        except TimeoutError:
            raise StoreUnavailable(f"the store gave no answer in {STORE_WAIT_S} s") from None
        return await work(journal)
    finally:
        await journal.close()
