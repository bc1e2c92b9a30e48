"""Recovery tokens as the journal knows them: which one is good, across all processes.

    R1 ──> R2a, R2b (a lost answer, a second try) ──> whichever is used first retires R1, and the others

A token is retired by the first use of one that follows it: of two that follow the same one, the store
lets one through.
"""

from dataclasses import dataclass

from service.clock import Clock
from service.errors import Refused
from service.journal.journal import Journal
from service.journal.limits import TOKEN_TTL_MS
from service.journal.values import Unspendable
from service.trust.recovery import FIRST, Recovery, RecoveryMint

USES_MAX = 200  # of one token; a page that asks so often without using what it got is a loop

_UNKNOWN = "The recovery token is not valid (any more)."


@dataclass(frozen=True)
class Recoveries:
    """The recovery tokens of one application."""

    journal: Journal
    mint: RecoveryMint
    clock: Clock

    def first(self, call_sid: str, nonce: str) -> str:
        """Return the first token of a new call."""
        return self.mint.first(call_sid, nonce, now_ms=self.clock.now_ms())

    def read(self, call_sid: str, token: str) -> Recovery:
        """Return what a token says. Raises Refused 401 for one that is forged or expired."""
        found = self.mint.read(token, call_sid, now_ms=self.clock.now_ms())
        if isinstance(found, str):
            raise Refused(401, "Unauthorized", _UNKNOWN, reason="recovery")
        return found

    async def use(self, call_sid: str, token: Recovery) -> None:
        """Use a token; the one before it is good no longer. Raises Refused 401 for one that is retired.

        Raises StoreError.
        """
        now_ms = self.clock.now_ms()
        name = _retired(call_sid, token.nonce)
        if await self.journal.recall(name, now_ms=now_ms) is not None:
            raise Refused(401, "Unauthorized", _UNKNOWN, reason="recovery")
        if token.parent == FIRST:
            return
        spent = await self.journal.spend(
            call_sid,
            f"after-{token.parent}",
            stream_sid=token.nonce,
            window_ms=TOKEN_TTL_MS,
            uses_max=USES_MAX,
            now_ms=now_ms,
        )
        if isinstance(spent, Unspendable):
            raise Refused(401, "Unauthorized", _UNKNOWN, reason="recovery")
        retired = _retired(call_sid, token.parent)
        await self.journal.remember(retired, call_sid, ttl_ms=TOKEN_TTL_MS, now_ms=now_ms)

    def next(self, call_sid: str, token: Recovery, attempt: str) -> str:
        """Return the token that follows; for one attempt always the same."""
        return self.mint.next(call_sid, token, attempt, now_ms=self.clock.now_ms())


def _retired(call_sid: str, nonce: str) -> str:
    return f"retired:{call_sid}:{nonce}"
