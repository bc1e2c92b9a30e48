"""A call's journal as the webhooks use it: read, and written to from outside, without a fence."""

import hashlib
from dataclasses import dataclass

from service.call import events as e
from service.call.state import Call
from service.clock import Clock
from service.errors import StoreUnavailable
from service.journal.journal import Journal
from service.journal.values import Appended, Missing, Outcome, Reading
from service.session.kept.records import as_it_stands


@dataclass(frozen=True)
class Outside:
    """What a process that does not hold a call knows of it, and may say."""

    journal: Journal
    clock: Clock

    async def call(self, call_sid: str) -> Call | None:
        """Return the call as it stands, None when there is none. Raises StoreError."""
        reading = await self.journal.read(call_sid)
        return None if isinstance(reading, Missing) else await as_it_stands(reading)

    async def add(self, call_sid: str, key: str, *facts: e.Known) -> Outcome:
        """Write facts under a key: however often this is asked, they are written once."""
        bodies = tuple(map(e.encode, facts))
        return await self.journal.append(
            call_sid, bodies, epoch=None, after=None, key=key, now_ms=self.clock.now_ms()
        )

    async def is_first(self, call_sid: str, key: str, *facts: e.Known) -> bool:
        """Write facts under a key, and say whether this very write did: of many askers one is first."""
        written = await self.add(call_sid, key, *facts)
        return isinstance(written, Appended) and not written.repeated

    async def end(self, call_sid: str, status: str) -> None:
        """Write that the call is over, unless that is known."""
        call = await self.call(call_sid)
        if call is not None and call.phase != "ended":
            await self.add(call_sid, f"over:{status}", e.CallEnded(reason=status))


def refuse_unless_sure(reading: Reading, *, is_final: bool | None) -> None:
    """Raise StoreUnavailable for a call that comes back, and of which only its ringing is known, only here.

    It has been somewhere before. A webhook that came twice may have had it ring here anew while the store was
    away: whether it was greeted, and by whom it is held, the store alone can say.
    """
    is_held = any(record.epoch for record in reading.records)
    if is_final is False and not is_held:
        raise StoreUnavailable("The store is away, and it alone knows where the call has been.")


def digest(*words: str) -> str:
    """A name in the journal is short and printable; what the carrier sends may be neither."""
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]


def requested_digits(reading: Reading, request: str) -> str:
    """Return what a person or the agent asked to be keyed, "" when nobody did.

    It is looked up in the records: by the time the carrier asks, the state may count it as sent.
    """
    facts = (e.decode(record.body) for record in reading.records if request)
    return next(
        (
            fact.digits
            for fact in facts
            if isinstance(fact, e.DigitsRequested) and fact.request == request
        ),
        "",
    )
