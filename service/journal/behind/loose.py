"""Tokens spent and names remembered while the store was away: bound to no place in a journal.

They are kept in memory alone, as are the tokens that this process saw the store take: it refuses those
by itself. A token that is accepted here was signed by us, lives for a minute and bears one CallSid; what
is at risk for the length of an outage is that another process accepts it, too, and then the newer stream
wins, as ever. A name that is lost costs a ring-back its greeting.
"""

from typing import NamedTuple

from service.errors import StoreUnavailable
from service.journal.journal import Journal
from service.journal.tokens import refusal
from service.journal.values import Spent, Unspendable

LOOSE_MAX = 20_000  # tokens or names of one outage: 5,000 calls that come back four times
SEEN_MAX = 20_000  # tokens that the store has; the oldest are forgotten, and have run out by then


class Token(NamedTuple):
    """A stream token as it was spent last."""

    stream_sid: str
    uses: int
    used_ms: int
    window_ms: int
    uses_max: int


class Name(NamedTuple):
    """What a name means, and until when."""

    call_sid: str
    until_ms: int


class Loose:
    """What the store is to be told in any order."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, str], Token] = {}
        self._names: dict[str, Name] = {}
        self._seen: dict[tuple[str, str], Token] = {}

    def __len__(self) -> int:
        return len(self._tokens) + len(self._names)

    def has_token(self, call_sid: str, nonce: str) -> bool:
        """Say whether the token was spent here, so that the store does not know it yet."""
        return (call_sid, nonce) in self._tokens

    def see(self, call_sid: str, nonce: str, token: Token) -> None:
        """Note a token that the store knows to be spent."""
        self._seen.pop((call_sid, nonce), None)
        self._seen[call_sid, nonce] = token
        if len(self._seen) > SEEN_MAX:
            del self._seen[next(iter(self._seen))]

    def spend(
        self,
        call_sid: str,
        nonce: str,
        *,
        stream_sid: str,
        window_ms: int,
        uses_max: int,
        now_ms: int,
    ) -> Spent | Unspendable:
        """Use a token by the rules of Journal.spend, as far as this process knows of its uses."""
        place = call_sid, nonce
        before = self._tokens.get(place) or self._seen.get(place)
        if before is not None:
            reason = refusal(
                is_same_stream=before.stream_sid == stream_sid,
                uses=before.uses,
                uses_max=uses_max,
                idle_ms=now_ms - before.used_ms,
                window_ms=window_ms,
            )
            if reason:
                return Unspendable(reason)
        if place not in self._tokens:
            self._make_sure_of_room()
        uses = 1 if before is None else before.uses + 1
        self._tokens[place] = Token(stream_sid, uses, now_ms, window_ms, uses_max)
        return Spent(uses)

    def remember(self, name: str, call_sid: str, *, ttl_ms: int, now_ms: int) -> None:
        """Let `name` mean this call."""
        self._make_sure_of_room()
        self._names[name] = Name(call_sid, now_ms + ttl_ms)

    def recall(self, name: str, now_ms: int) -> str | None:
        """Return the call that `name` was given here."""
        known = self._names.get(name)
        return known.call_sid if known is not None and known.until_ms > now_ms else None

    async def flush(self, engine: Journal, now_ms: int) -> None:
        """Tell the store. Raises StoreUnavailable; what was told until then is told."""
        for (call_sid, nonce), token in tuple(self._tokens.items()):
            await engine.spend(
                call_sid,
                nonce,
                stream_sid=token.stream_sid,
                window_ms=token.window_ms,
                uses_max=token.uses_max,
                now_ms=token.used_ms,
            )
            if self._tokens.get((call_sid, nonce)) is token:
                del self._tokens[call_sid, nonce]
                self.see(call_sid, nonce, token)
        for name, meant in tuple(self._names.items()):
            ttl_ms = meant.until_ms - now_ms
            if ttl_ms > 0:
                await engine.remember(name, meant.call_sid, ttl_ms=ttl_ms, now_ms=now_ms)
            if self._names.get(name) is meant:
                del self._names[name]

    def _make_sure_of_room(self) -> None:
        if len(self) >= LOOSE_MAX:
            raise StoreUnavailable("The store is away, and there is no room to go on without it.")
