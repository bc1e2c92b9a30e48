"""One figure of a bench, as the umbrella's table has it.

A bench tells of its figures with `tell`; run by itself it prints its own tables, and nobody listens.
"""

import os
import sys
from pathlib import Path

import msgspec

PLACE = "BENCH_FIGURES"  # the file that the umbrella listens at


class Figure(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value with its unit; what it is compared with in the same run, and what it should be.

    `floor` is the same work with as little around it as can be, in the same unit, 0 for none. `goal_max`
    and `goal_min` are what was promised, 0 for nothing.
    """

    name: str
    value: float
    unit: str
    floor: float = 0.0
    of: str = ""  # what the floor is
    goal_max: float = 0.0
    goal_min: float = 0.0

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None without a goal."""
        if self.goal_max:
            return self.value <= self.goal_max
        return self.value >= self.goal_min if self.goal_min else None

    def cells(self) -> tuple[str, ...]:
        """Return a row of the table."""
        floor = f"{shown(self.floor)} ({self.of})" if self.floor else "-"
        ratio = f"{self.value / self.floor:.2g}" if self.floor else "-"
        goal = f"<= {shown(self.goal_max)}" if self.goal_max else "-"
        if self.goal_min:
            goal = f">= {shown(self.goal_min)}"
        met = {None: "", True: "met", False: "MISSED"}[self.is_met]
        return (self.name, f"{shown(self.value)} {self.unit}", floor, ratio, goal, met)


HEADINGS = ("what", "measured", "beside it", "ratio", "goal", "")


def shown(value: float) -> str:
    """Return a number with no more digits than it is worth."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def tell(figure: Figure) -> None:
    """Add a figure to the umbrella's table, if it listens."""
    place = os.environ.get(PLACE)
    if place:
        with Path(place).open("ab") as file:
            file.write(msgspec.json.encode(figure) + b"\n")


def say(line: str) -> None:
    """Print a line of a bench's own table, at once: the next one may be minutes away."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def told(place: Path) -> list[Figure]:
    """Return what was told so far."""
    lines = place.read_bytes().splitlines() if place.exists() else []
    return [msgspec.json.decode(line, type=Figure) for line in lines]
