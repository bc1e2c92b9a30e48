"""Makes sure that a call goes on with the state that its records give.

    claim (snapshot + what follows) ──> the talk goes on
             └─ a moment later: all records from the first ──> the same state?
                                                               └─ no: told, and folded anew

A snapshot saves reading a long journal while a caller waits. Were one ever wrong, the conversation would go on
with what was never said. The records are the truth: where the two differ, it is written down which fields
did, and the session folds its state anew. Nobody waits for it.
"""

import asyncio
import logging
from collections.abc import Callable
from zlib import crc32

import msgspec

from service.call import events as e
from service.call.state import Call
from service.errors import StoreError
from service.journal.values import Missing
from service.redaction import own_words
from service.session.inbox import News
from service.session.kept.ledger import Ledger
from service.session.kept.records import recalled
from service.session.means import Means

AFTER_MS = 1_000  # by then the caller hears us again
APART_MS = 4_000  # calls that were taken over in one instant are not all read in one
RECORDS_MAX = 20_000  # hours of talk; to read more would cost others more than it is worth

_log = logging.getLogger(__name__)


class Verification:
    """Looks after one call's state, once each time that it came of a snapshot."""

    def __init__(self, means: Means, ledger: Ledger, post: Callable[[News], None]) -> None:
        self._means = means
        self._ledger = ledger
        self._post = post
        self._at_work: asyncio.Task[None] | None = None

    def begin(self, taken: Call) -> None:
        """The call was claimed, and `taken` is the state that it goes on with."""
        self.close()
        if self._ledger.source == "snapshot" and taken.position <= RECORDS_MAX:
            self._at_work = asyncio.create_task(self._verify(taken))

    def close(self) -> None:
        """The call goes on elsewhere, or not at all."""
        if self._at_work is not None:
            self._at_work.cancel()

    async def _verify(self, taken: Call) -> None:
        incarnation = self._ledger.incarnation
        after_ms = AFTER_MS + crc32(taken.call_sid.encode()) % APART_MS
        await asyncio.sleep(after_ms / 1_000)
        try:
            reading = await self._means.journal.read(self._ledger.call_sid)
            if isinstance(reading, Missing) or reading.incarnation != incarnation:
                return  # It stands on other records by now, and was folded anew for that.
            given = await recalled(None, reading.records[: taken.position])
            if given != taken:
                await self._differs(taken, given)
        except StoreError as trouble:
            _log.info(
                "= the state was not verified: %s",
                trouble,
                extra={"action": "not_verified", "call_sid": self._ledger.call_sid},
            )

    async def _differs(self, taken: Call, given: Call) -> None:
        names = differing(taken, given)
        _log.error(
            "! the state up to position %d, of a snapshot, differs from the records in: %s",
            taken.position,
            own_words(", ".join(names)),
            extra={"action": "state_differs", "call_sid": self._ledger.call_sid},
        )
        owner, now_us = self._means.owner, self._means.clock.now_us()
        told = e.StateDiffered(server=owner, position=taken.position, names=names)
        key = f"differs:{self._ledger.epoch}:{taken.position}"
        await self._ledger.tell((told,), key, now_us // 1_000)
        call = self._ledger.call
        self._means.sight.wrote(call, (told,), call, now_us=now_us)
        self._ledger.doubt()
        self._post(News())


def differing(one: Call, other: Call) -> tuple[str, ...]:
    """Name the fields of the state in which two calls differ."""
    names = (field.name for field in msgspec.structs.fields(Call))
    return tuple(name for name in names if getattr(one, name) != getattr(other, name))
