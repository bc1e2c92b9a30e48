"""How far long work has come: a bar on standard error, for a person at a terminal and nobody else.

    with Progress("erasing") as progress:
        progress.show(done, total)

Standard output stays what it is, so that a program that reads it never meets a bar.
"""

import sys
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TextColumn


class Progress:
    """One bar, which goes when the block ends. Without a terminal nothing is written."""

    def __init__(self, what: str, out: TextIO | None = None) -> None:
        stream = sys.stderr if out is None else out
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=Console(file=stream),
            transient=True,
            disable=not stream.isatty(),
        )
        self._task = self._bar.add_task(what, total=None)

    def show(self, done: int, total: int) -> None:
        """Say how much of all is done."""
        self._bar.update(self._task, completed=done, total=total)

    def name(self, what: str) -> None:
        """Say what is being done now."""
        self._bar.update(self._task, description=what)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
