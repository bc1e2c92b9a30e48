"""Finds the call that was cut off, when its caller rings back.

    a number, a ticket ──hashed──> name ──recall──> the last call ──> cut off, lately? ──> carried
                                                        │ carried on already
                                                        └──> the call that did, and so on

Each call keeps a journal of its own, by its CallSid; only these names lead from one to the other. Of
two calls that would go on with the same one, the first does: its name stands in the earlier journal.
Nothing here may cost a caller the call: when the store or the carrier can't say, it begins afresh.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable

from service.call import events as e
from service.call.carrying import (
    carried,
    has_matter,
    is_cut_off,
    is_own_number,
    is_same_company,
    ticket_name,
    tickets,
)
from service.call.state import Call
from service.carrier import Outward
from service.clock import Clock
from service.errors import CarrierError, StoreError
from service.journal.journal import Journal
from service.journal.values import Missing
from service.session.kept.records import rebuilt
from service.trust.tenants import DEFAULT_TENANT

CALL_MS_MAX = 14_400_000  # the carrier's own limit of a call, so that a name outlives its call
CHAIN_MAX = 5  # a line that died five times within the window is not worth a sixth look
ASK_S_MAX = 1.5  # the caller hears it ring meanwhile
RECALL_S_MAX = 0.5  # of a store that hangs, which the first to ring after that finds out
NAME_LETTERS = 32  # of a SHA-256: 128 bits
FORGOTTEN_MS = 1  # the shortest time to live: the name means nothing any more

_log = logging.getLogger(__name__)


def number_name(number: str, tenant: str = DEFAULT_TENANT) -> str:
    """Return what a caller's number is remembered by: with each tenant they are somebody else."""
    return f"from:{_digest(_whose(tenant) + number)}"


def names(call: Call) -> frozenset[str]:
    """Return what the call is remembered by: its caller's number, and its ticket.

    A call from a page by nothing: its page comes back to it, and whoever phones is somebody else.
    """
    if call.is_from_page:
        return frozenset()
    number = call.customer_number
    own = {number_name(number, call.tenant)} if is_own_number(number) else set()
    return frozenset(own | {_named(call, one) for one in tickets(call)})


class RingBacks:
    """The names of conversations. A call is gone on with for `window_ms` after its end."""

    def __init__(self, journal: Journal, carrier: Outward, clock: Clock, window_ms: int) -> None:
        self._journal = journal
        self._carrier = carrier
        self._clock = clock
        self._window_ms = window_ms

    async def remember(self, call_sid: str, name: str) -> None:
        """Let a name mean this call, for as long as it can last and the window after. Raises StoreError."""
        await self._journal.remember(
            name, call_sid, ttl_ms=CALL_MS_MAX + self._window_ms, now_ms=self._clock.now_ms()
        )

    async def settle(self, call: Call) -> None:
        """The call is over: its names are kept for the window, or forgotten. Raises StoreError."""
        ttl_ms = self._window_ms if is_cut_off(call) else FORGOTTEN_MS
        for name in names(call):
            now_ms = self._clock.now_ms()
            if await self._journal.recall(name, now_ms=now_ms) == call.call_sid:
                await self._journal.remember(name, call.call_sid, ttl_ms=ttl_ms, now_ms=now_ms)

    async def of_number(self, call: Call) -> e.EarlierCarried | None:
        """Return what the caller's number leads to. Never raises."""
        number = call.customer_number
        if not self._window_ms or not is_own_number(number):
            return None
        name = number_name(number, call.tenant)
        return await self._sought(call, name, "number", lambda one: one.customer_number == number)

    async def of_ticket(self, call: Call) -> e.EarlierCarried | None:
        """Return what the call's ticket leads to, if that was a call of the same company. Never raises."""
        own = tickets(call)
        if not self._window_ms or not own or call.is_from_page:
            return None

        def is_of_it(one: Call) -> bool:
            letters = {ticket for ticket in tickets(one)[:1] + own[:1] if not ticket.isdecimal()}
            return is_same_company(one, call) and len(letters) <= 1

        name = _named(call, ticket_name(own[0]))
        return await self._sought(call, name, "ticket", is_of_it)

    async def of_callback(self, call: Call, earlier_sid: str) -> e.EarlierCarried | None:
        """Return what the call was about because of which we rang. Never raises."""
        try:
            return await self._followed(call, earlier_sid, "callback", _anything)
        except StoreError as trouble:
            _tell(call.call_sid, trouble)
            return None

    async def _sought(
        self, call: Call, name: str, by: e.Proof, fits: Callable[[Call], bool]
    ) -> e.EarlierCarried | None:
        try:
            async with asyncio.timeout(RECALL_S_MAX):
                earlier_sid = await self._journal.recall(name, now_ms=self._clock.now_ms())
            if earlier_sid is None:
                return None
            return await self._followed(call, earlier_sid, by, fits)
        except (StoreError, TimeoutError) as trouble:
            _tell(call.call_sid, trouble)
            return None

    async def _followed(
        self, call: Call, earlier_sid: str, by: e.Proof, fits: Callable[[Call], bool]
    ) -> e.EarlierCarried | None:
        """Follow the calls that went on with one another to the last, and take it if it was cut off."""
        call_sid = call.call_sid
        for _ in range(CHAIN_MAX):
            earlier = None if earlier_sid == call_sid else await self._call(earlier_sid)
            if earlier is None or not _may_follow(earlier, call) or not fits(earlier):
                return None
            if earlier.carried_on not in ("", call_sid):
                earlier_sid = earlier.carried_on
                continue
            left_ms = earlier.ended_ms or earlier.updated_ms
            is_late = self._clock.now_ms() - left_ms > self._window_ms and by != "callback"
            if is_late or not has_matter(earlier):
                return None
            if earlier.phase != "ended":
                earlier = await self._looked_after(earlier)
            if not is_cut_off(earlier):
                return None
            if await self._is_taken(earlier_sid, call_sid):
                return carried(earlier, by)
        return None

    async def _looked_after(self, earlier: Call) -> Call:
        """A call may be over before anybody told us: ask the carrier. It is never ended on suspicion."""
        try:
            async with asyncio.timeout(ASK_S_MAX):
                if await self._carrier.is_live(earlier.call_sid):
                    return earlier
        except (CarrierError, TimeoutError) as trouble:
            _tell(earlier.call_sid, trouble)
            return earlier
        await self._add(earlier.call_sid, "over:gone", e.CallEnded(reason="gone_at_carrier"))
        return await self._call(earlier.call_sid) or earlier

    async def _is_taken(self, earlier_sid: str, call_sid: str) -> bool:
        """Write who goes on with the earlier call; whether it is this one. The first stands."""
        await self._add(earlier_sid, "carried_on", e.CarriedOn(call_sid=call_sid))
        earlier = await self._call(earlier_sid)
        return earlier is not None and earlier.carried_on == call_sid

    async def _call(self, call_sid: str) -> Call | None:
        reading = await self._journal.read(call_sid)
        return None if isinstance(reading, Missing) else rebuilt(None, reading.records)

    async def _add(self, call_sid: str, key: str, fact: e.Known) -> None:
        await self._journal.append(
            call_sid,
            (e.encode(fact),),
            epoch=None,
            after=None,
            key=key,
            now_ms=self._clock.now_ms(),
        )


def _anything(_call: Call) -> bool:
    return True


def _may_follow(earlier: Call, call: Call) -> bool:
    """Whether a call may go on with another at all: of its own tenant, and no page's."""
    return earlier.tenant == call.tenant and not earlier.is_from_page


def _whose(tenant: str) -> str:
    return "" if tenant == DEFAULT_TENANT else f"{tenant}\0"


def _named(call: Call, ticket: str) -> str:
    return f"ticket:{_digest(_whose(call.tenant) + ticket)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:NAME_LETTERS]


def _tell(call_sid: str, trouble: Exception) -> None:
    _log.warning(
        "! an earlier call can't be looked for: %s",
        trouble,
        extra={"action": "ring_back_failed", "call_sid": call_sid},
    )
