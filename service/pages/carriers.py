"""Asks the right one: the carrier about its calls, the page's own line about a call from a page.

    digits, deploy ──> the stream is closed with 1012 ──> the page comes back
    hang up        ──> the stream is closed with 4000 ──> the page knows
    dial, record   ──> Undialable: there is nothing to dial from
    is it live?    ──> CallAway until its window is over, then gone

Nobody else has to know which kind a call is.
"""

import re

from typing_extensions import override

from service.call import events as e
from service.call.presence import presence
from service.carrier import Outward
from service.clock import Clock
from service.errors import CallAway, CallGone, Undialable
from service.journal.journal import Journal
from service.journal.values import Missing, Reading
from service.pages.lines import Lines
from service.pages.names import is_from_page

WINDOW_PASSED = "window_passed"  # why a call ended that nobody came back to

_DIALS = re.compile(r"<(Dial|Record)\b")
_LEADS_BACK = re.compile(r"<(Connect|Redirect)\b")


class Carriers(Outward):
    """The carrier, and beside it the lines of calls from pages, which may be away for `window_ms`."""

    def __init__(
        self, carrier: Outward, lines: Lines, journal: Journal, clock: Clock, window_ms: int
    ) -> None:
        self._carrier = carrier
        self.lines = lines
        self._journal = journal
        self._clock = clock
        self._window_ms = window_ms

    @override
    async def run_twiml(self, call_sid: str, twiml: str) -> None:
        """See Outward. A page reads no documents; it does what the document amounts to."""
        if not is_from_page(call_sid):
            await self._carrier.run_twiml(call_sid, twiml)
        elif _DIALS.search(twiml):
            raise Undialable("a call from a page can't be put through")
        elif _LEADS_BACK.search(twiml):
            await self.lines.call_back(call_sid)
        else:
            await self.lines.end(call_sid)

    @override
    async def redirect(self, call_sid: str, url: str) -> None:
        """See Outward."""
        if is_from_page(call_sid):
            await self.lines.call_back(call_sid)
        else:
            await self._carrier.redirect(call_sid, url)

    @override
    async def hang_up(self, call_sid: str) -> None:
        """See Outward."""
        if is_from_page(call_sid):
            await self.lines.end(call_sid)
        else:
            await self._carrier.hang_up(call_sid)

    @override
    async def is_live(self, call_sid: str) -> bool:
        """See Outward. Of a call from a page nobody knows more than its journal."""
        if not is_from_page(call_sid):
            return await self._carrier.is_live(call_sid)
        reading = await self._journal.read(call_sid)
        until_ms = 0 if isinstance(reading, Missing) else self.kept_until_ms(reading)
        if self._clock.now_ms() < until_ms:
            raise CallAway("the page has not come back yet", until_ms=until_ms)
        raise CallGone("the page did not come back in time", reason=WINDOW_PASSED)

    def kept_until_ms(self, reading: Reading) -> int:
        """Return until when a call from a page may be gone on with, as its records tell."""
        told = ((e.decode(record.body), record.at_ms) for record in reading.records)
        known = presence(told)
        return (self._clock.now_ms() if known.is_there else known.kept_ms) + self._window_ms

    @override
    async def status(self, call_sid: str) -> str:
        """See Outward."""
        return "" if is_from_page(call_sid) else await self._carrier.status(call_sid)

    @override
    async def ring(self, to: str, from_: str, *, url: str, status_url: str, timeout_s: int) -> str:
        """See Outward."""
        return await self._carrier.ring(
            to, from_, url=url, status_url=status_url, timeout_s=timeout_s
        )

    @override
    async def rung(self, to: str, from_: str, *, since_ms: int) -> str:
        """See Outward."""
        return await self._carrier.rung(to, from_, since_ms=since_ms)
