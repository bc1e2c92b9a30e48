"""What a reading of recorded facts is: the input that they seem to come from. Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from service.call import events as e
from service.call.events import Known
from service.call.inputs import Input
from service.call.state import Call


class Reading(msgspec.Struct, frozen=True):
    """An input, and which of the facts it was read from, by their places in the write.

    All other facts of the write follow from the state, the rules and the time alone. At least `size` facts
    were written for it. `is_supposed`: nothing recorded speaks for this input rather than another one,
    so what fits it proves nothing.
    """

    happened: Input
    told_by: frozenset[int] = frozenset()
    size: int = 1
    is_supposed: bool = False

    @property
    def count(self) -> int:
        """How many facts were written for it, as far as that can be told."""
        return max(self.size, max(self.told_by, default=0) + 1)


class Write(msgspec.Struct, frozen=True):
    """The facts that may have been written at once: of one holder, in one moment, beside each other.

    `played` of them, at the beginning, tell how far prompts got; `cuts` behind these give prompts up.
    `server` took the call last before them. `has_model` tells that a model speaks for itself in it.
    """

    call: Call
    facts: tuple[Known, ...]
    at_ms: int
    played: int
    cuts: int
    server: str
    has_model: bool

    @property
    def first(self) -> int:
        """The place of the first fact that is of another kind."""
        return self.played + self.cuts

    @property
    def heard(self) -> tuple[e.Played, ...]:
        """How far prompts got, as the input told it."""
        return tuple(one for one in self.facts[: self.played] if isinstance(one, e.Played))

    @property
    def reason(self) -> str:
        """Why prompts were given up, "" when none was."""
        first = self.facts[self.played] if self.cuts else None
        return first.reason if isinstance(first, e.SpeechCut) else ""

    def beside(self, place: int) -> Known | None:
        """The fact at a place of the write, None behind its end."""
        return self.facts[place] if place < len(self.facts) else None

    def following(self, kinds: tuple[type[e.Fact], ...], start: int) -> Iterator[tuple[int, Known]]:
        """Yield the facts from `start` on, each with its place, for as long as they are of these kinds."""
        for place in range(start, len(self.facts)):
            if not isinstance(self.facts[place], kinds):
                return
            yield place, self.facts[place]

    def told(self, *places: int) -> frozenset[int]:
        """Return these places, and those of what was heard."""
        return frozenset((*range(self.played), *places))


def written_at_once(
    call: Call,
    facts: Sequence[Known],
    at_ms: int,
    *,
    server: str = "",
    has_model: bool = False,
) -> Write:
    """Return facts as one write, its beginning counted."""
    played = _count(facts, 0, e.Played)
    cuts = _count(facts, played, e.SpeechCut)
    return Write(call, tuple(facts), at_ms, played, cuts, server, has_model)


def _count(facts: Sequence[Known], start: int, kind: type[e.Fact]) -> int:
    count = 0
    while start + count < len(facts) and isinstance(facts[start + count], kind):
        count += 1
    return count
