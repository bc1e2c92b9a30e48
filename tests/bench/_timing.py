"""How long something takes, for the benches."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from service.clock import Clock

clock = Clock()


class Times(NamedTuple):
    """Microseconds, sorted."""

    us: list[int]

    def at(self, percent: int) -> int:
        return self.us[min(len(self.us) * percent // 100, len(self.us) - 1)]

    def cells(self) -> str:
        """Return the median, the 99th percentile and the longest in milliseconds, eight letters each."""
        return "".join(f" {us / 1_000:8.2f}" for us in (self.at(50), self.at(99), self.us[-1]))

    def ms(self) -> str:
        """Return the median in milliseconds."""
        return f"{self.at(50) / 1_000:.2f}"


async def timed(count: int, act: Callable[[int], Awaitable[object]]) -> Times:
    """Run `act` so many times, one after the other."""
    taken = []
    for n in range(count):
        begun_us = clock.now_us()
        await act(n)
        taken.append(clock.now_us() - begun_us)
    return Times(sorted(taken))


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a table in Markdown."""
    lines = ["| " + " | ".join(headings) + " |", "|---" * len(headings) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
