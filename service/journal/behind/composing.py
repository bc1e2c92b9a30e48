"""Puts a bridge in front of a store."""

import hashlib
import random
from pathlib import Path
from urllib.parse import urlsplit

from service.clock import Clock
from service.journal.behind.bridge import Bridge
from service.journal.behind.flusher import Flusher, Orphan
from service.journal.behind.herald import Herald
from service.journal.behind.keeper import Keeper
from service.journal.behind.reach import DISK, NETWORK
from service.journal.behind.shelf import Shelf
from service.journal.journal import Journal
from service.journal.seal.shelf import ShelfSeal
from service.meter import Meter

NAME_CHARS = 12  # of the folder that belongs to one store: 48 bits tell a machine's stores apart


def shelf_folder(folder: str, url: str) -> Path | None:
    """Return where the shelves for the store at `url` are; None for a store that is memory itself.

    Each store has its own: what was meant for one must never be told to another. The password is no
    part of a store's name, so that it may be changed while something waits.
    """
    if url.endswith(":memory:"):
        return None
    parts = urlsplit(url)
    place = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return Path(folder) / hashlib.sha256(place.encode()).hexdigest()[:NAME_CHARS]


def bridged(
    engine: Journal,
    url: str,
    *,
    folder: str,
    name: str,
    orphan: Orphan,
    clock: Clock,
    meter: Meter,
    chance: random.Random,
    seal: ShelfSeal | None = None,
) -> Bridge:
    """Return a bridge to `engine`, which is the store at `url`, with a shelf in `folder`.

    `name` is this process's among all that ever share the folder; `orphan` makes the fact that tells
    of a lost branch; `seal` seals what the shelf holds.
    """
    shelf = Shelf(shelf_folder(folder, url), name, seal)
    deadlines = DISK if url.startswith("sqlite:") else NETWORK
    keeper = Keeper(
        engine,
        shelf,
        Flusher(engine, orphan),
        Herald(meter),
        deadlines=deadlines,
        clock=clock,
        chance=chance,
    )
    return Bridge(engine, keeper, shelf, deadlines=deadlines, clock=clock)
