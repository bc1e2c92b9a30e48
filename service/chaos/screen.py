"""A run as a person at a terminal sees it: one live line; without a terminal a plain line now and then."""

from typing import Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from service.chaos.run import Standing
from service.clock import Clock

PLAIN_EVERY_MS = 10_000
BAR_SIGNS = 24


class Screen:
    """Shows how far a run is, for the length of a `with`."""

    def __init__(self, out: TextIO) -> None:
        self._console = Console(file=out, highlight=False)
        self._clock = Clock()
        self._began_ms = self._clock.now_ms()
        self._told_ms = 0
        self._live = Live(console=self._console, transient=True, auto_refresh=False)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def show(self, standing: Standing) -> None:
        """Take how far it is."""
        now_ms = self._clock.now_ms()
        line = sentence(standing, (now_ms - self._began_ms) // 1_000)
        if self._console.is_terminal:
            style = "red" if standing.ended else "cyan"
            self._live.update(Text(f"{bar(standing)} {line}", style=style), refresh=True)
        elif now_ms - self._told_ms >= PLAIN_EVERY_MS:
            self._told_ms = now_ms
            self._console.print(line, soft_wrap=True)


def bar(standing: Standing) -> str:
    """Draw how much of the drops is done."""
    done = standing.dropped * BAR_SIGNS // max(1, standing.wanted)
    return "█" * done + "░" * (BAR_SIGNS - done)


def sentence(standing: Standing, elapsed_s: int) -> str:
    """Say how far it is."""
    it = standing
    return (
        f"{elapsed_s:>4} s  {it.phase}: {it.dropped}/{it.wanted} drops, {it.live}/{it.calls} calls live,"
        f" {it.ended} ended, {it.notes} notes accepted, {it.readings} readings"
    )
