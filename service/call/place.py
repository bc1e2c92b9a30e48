"""Where and when a fact was written, and what a step of the fold is."""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from service.call.draft import Draft
from service.call.events import Fact


class Place(msgspec.Struct, frozen=True):
    """A record's place in its journal, the epoch of its writer (0: none), and when."""

    position: int
    epoch: int
    at_ms: int


class Placed(Protocol):
    """What tells its place: a Place, and a record itself."""

    @property
    def position(self) -> int:
        """See Place."""

    @property
    def epoch(self) -> int:
        """See Place."""

    @property
    def at_ms(self) -> int:
        """See Place."""


Step = Callable[[Draft, Any, Placed], None]  # which changes the draft
Steps = dict[type[Fact], Step]
