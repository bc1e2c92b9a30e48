"""What the doctor finds: each thing it looked at, how that stands, and what helps."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a thing stands."""

    WELL = "well"
    CARE = "care"  # it works, and somebody should know
    WRONG = "wrong"  # calls fail, or are lost
    OPEN = "open"  # it could not be looked at


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `advice` is what helps, "" for nothing."""

    name: str
    state: State
    text: str
    advice: str = ""

    def line(self) -> str:
        """Return it for a person: one line, and one more with what helps."""
        first = f"  {self.state:<6}{self.name:<12}{self.text}"
        return f"{first}\n{'':20}-> {self.advice}" if self.advice else first


def worst(findings: list[Finding]) -> State:
    """Return how all of it stands together. What could not be looked at is not wrong by that."""
    states = {one.state for one in findings}
    return next((one for one in (State.WRONG, State.CARE) if one in states), State.WELL)
