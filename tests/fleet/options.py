"""What a run is told: how many calls, how many rounds, which store, which chance."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from service.chaos.callers.crowd import MEDIA_MS
from service.simulator.account import Pace
from tests.fleet.ground import Ground


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The size of a run. Small defaults; the figures in the README name their own."""

    calls: int = 50
    rounds: int = 3
    seconds: int = 30
    seed: int = 1
    store: str = "redis"
    servers: int = 2
    media_ms: int = MEDIA_MS
    strangers: int = 200
    slack: int = 1  # multiplies the limits that only a calm machine keeps; a test isn't alone on it
    folder: str = ""

    @asynccontextmanager
    async def ground(
        self, *, turn_ms: int = Pace().turn_ms, servers: int = 0, **settings: str
    ) -> AsyncIterator[Ground]:
        """Open the ground of a run, in a folder that is gone afterwards unless it was named."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(self.folder or scratch)
            async with Ground(
                folder,
                store=self.store,
                servers=servers or self.servers,
                turn_ms=turn_ms,
                media_ms=self.media_ms,
                **settings,
            ) as ground:
                yield ground
