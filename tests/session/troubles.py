"""A journal whose store fails when a test wants it to."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from service.errors import StoreUnavailable
from service.journal.journal import Journal
from service.journal.values import Claim, Ear, Fenced, Outcome


class FailingJournal:
    """Passes everything on to a real journal, but for the operations named in `fails`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.fails: set[str] = set()
        self.refused = 0
        self.may_claim = asyncio.Event()
        self.may_claim.set()
        self.expected: list[int | None] = []  # by who claimed, one after the other

    def __getattr__(self, name: str) -> Any:
        self._check(name)
        return getattr(self._journal, name)

    def _check(self, name: str) -> None:
        if name in self.fails:
            self.refused += 1
            raise StoreUnavailable(f"no {name} today")

    async def claim(self, call_sid: str, opening: Sequence[bytes], **named: Any) -> Claim | Fenced:
        await self.may_claim.wait()
        self.expected.append(named.get("expected"))
        self._check("claim")
        return await self._journal.claim(call_sid, opening, **named)

    async def append(self, call_sid: str, bodies: Sequence[bytes], **named: Any) -> Outcome:
        self._check("append")
        return await self._journal.append(call_sid, bodies, **named)

    def listen(self, call_sid: str, ear: Ear) -> Callable[[], None]:
        if "listen" in self.fails:  # every ring is lost
            return lambda: None
        return self._journal.listen(call_sid, ear)
