"""How long a call in the browser is kept for whoever made it. Pure.

    opened, spoke, pressed a key ──> kept from then          a stream in which they did so ──> from its end

A page comes back by itself, again and again. So a stream in which nobody did anything keeps nothing,
or a forgotten tab would hold its call for ever.
"""

from collections.abc import Iterable

import msgspec

from service.call import events as e

_ACTS = (
    e.CallOpened,
    e.CallerBegan,
    e.CallerPartlyHeard,
    e.CallerSpoke,
    e.DigitPressed,
)


class Presence(msgspec.Struct, frozen=True):
    """`kept_ms` is when the person was there last, 0 for never; `is_there` while a stream is attached."""

    kept_ms: int = 0
    is_there: bool = False
    has_acted: bool = False  # since the last stream attached; to open the call counts for the first

    def after(self, fact: e.AnyFact, at_ms: int) -> "Presence":
        """Return the presence after one more fact."""
        match fact:
            case e.StreamAttached():
                is_first = self.has_acted and not self.is_there
                return Presence(self.kept_ms, is_there=True, has_acted=is_first)
            case e.StreamDetached():
                return self._gone(at_ms)
            case e.CallAdopted():
                return self._gone(fact.seen_ms)
            case _ if isinstance(fact, _ACTS):
                return Presence(max(self.kept_ms, at_ms), self.is_there, has_acted=True)
            case _:
                return self

    def _gone(self, at_ms: int) -> "Presence":
        kept_ms = max(self.kept_ms, at_ms) if self.is_there and self.has_acted else self.kept_ms
        return Presence(kept_ms)


def presence(told: Iterable[tuple[e.AnyFact, int]]) -> Presence:
    """Return the presence of whoever made a call, from its facts and when each was written, in order."""
    known = Presence()
    for fact, at_ms in told:
        known = known.after(fact, at_ms)
    return known
