"""Where and when a fact was written, and what a step of the fold is."""

from collections.abc import Callable
from typing import Any

import msgspec

from service.call.events import Fact
from service.call.state import Call


class Place(msgspec.Struct, frozen=True):
    """A record's place in its journal, the epoch of its writer (0: none), and when."""

    position: int
    epoch: int
    at_ms: int


Step = Callable[[Call, Any, Place], Call]
Steps = dict[type[Fact], Step]
