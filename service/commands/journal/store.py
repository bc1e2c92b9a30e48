"""The store that a command looks into: named by `--store` or by the settings, and given ten seconds."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from service import config as settings
from service.config import Config
from service.errors import ConfigError, StoreUnavailable
from service.journal.seal.journal import SealedJournal
from service.parts import sealed_store

STORE_WAIT_S = 10  # a person waits; a store that answers at all does so in a fraction of it

_SQLITE = "sqlite:///"

Result = TypeVar("Result")
Work = Callable[[SealedJournal], Awaitable[Result]]


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the store."""
    parser.add_argument("--store", default="", metavar="URL", help="default STORE_URL")


def configured(options: argparse.Namespace) -> Config:
    """Return the settings, with the store that the words name. Raises ConfigError."""
    config = settings.load(**({"store_url": options.store} if options.store else {}))
    _must_be_there(config.store_url)
    return config


def in_store(config: Config, work: Work[Result]) -> Result:
    """Open the store, do the work, close it. Raises StaylineError."""
    return asyncio.run(_in_store(config, work))


async def _in_store(config: Config, work: Work[Result]) -> Result:
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


def _must_be_there(url: str) -> None:
    """A store that is not there would be made; a wrong name is told instead. Raises ConfigError."""
    if url.startswith(_SQLITE) and not Path(url.removeprefix(_SQLITE)).exists():
        raise ConfigError("STORE_URL: there is no such file")
