"""What a run is to do: how much, how often, and where; and what chance makes of it."""

import random
from itertools import accumulate
from typing import Literal

import msgspec

from service.chaos.network.lane import CALM, Weather

TALKER = "service.testing.talker:Talker"
APART_MS = 6_500  # under ten drops a minute, a deployment's default limit
RATE_MAX = 10  # drops a second: more than two cores carry
CALM_PERCENT = 60

LinkDrop = Literal["reset", "fin", "mid-frame", "blackhole", "half-open", "slow-close"]
Drop = LinkDrop | Literal["late", "close"]
DROPS: dict[Drop, int] = {
    "reset": 22,
    "fin": 14,
    "mid-frame": 14,
    "close": 12,
    "half-open": 12,
    "late": 10,
    "slow-close": 8,
    "blackhole": 8,
}
WEATHERS = (
    Weather(latency_ms=80),
    Weather(latency_ms=40, jitter_ms=120),
    Weather(slice_bytes=97),
    Weather(latency_ms=20, slice_bytes=512),
    Weather(bytes_per_s=24_000),
)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A run. `server` "" starts servers of our own; the `_every` count drops, 0 for never."""

    calls: int = 20
    at_once: int = 0  # so many calls of them at a time, 0 for all
    drops: int = 200
    seed: int = 1
    store: str = "sqlite"
    kill_every: int = 50
    freeze_every: int = 80
    pause_every: int = 60
    apart_ms: int = APART_MS  # between two drops of one call
    media_ms: int = 100
    agent: str = TALKER
    server: str = ""
    public_url: str = ""
    rest_port: int = 0
    from_: str = "+1555"

    @property
    def is_ours(self) -> bool:
        """Say whether the servers are our own, so that they may be killed, frozen and started."""
        return not self.server

    @property
    def is_talker(self) -> bool:
        """Say whether our own agent answers, whose words are known."""
        return self.is_ours and self.agent == TALKER

    def waves(self) -> list[tuple[int, int]]:
        """Return how many calls come at a time, and how many drops they share; one wave after the other."""
        at_once = min(self.at_once or self.calls, self.calls)
        number = -(-self.calls // at_once)
        sizes = [self.calls // number + (one < self.calls % number) for one in range(number)]
        ends = [self.drops * end // self.calls for end in accumulate(sizes)]
        return [
            (size, end - begin) for size, begin, end in zip(sizes, [0, *ends], ends, strict=False)
        ]

    def pause_s(self, calls: int) -> float:
        """Return how long it is from one drop to the next, with so many calls."""
        return max(self.apart_ms / 1_000 / calls, 1 / RATE_MAX)

    def drop(self, chance: random.Random) -> Drop:
        """Draw the kind of a drop."""
        return chance.choices(list(DROPS), list(DROPS.values()))[0]

    def weather(self, chance: random.Random) -> Weather:
        """Draw the weather of a connection."""
        return CALM if chance.randrange(100) < CALM_PERCENT else chance.choice(WEATHERS)
