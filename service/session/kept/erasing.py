"""Finds what is kept about a person, so that all of it can be erased: by a number, or by a ticket.

Every journal of the tenant is read for it. There is no list of numbers anywhere that would have to be
kept, sealed and erased as well.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from service.call.carrying import ticket_name, tickets
from service.call.state import Call
from service.errors import SealBroken
from service.journal.journal import Journal
from service.journal.values import Headline, Missing
from service.session.kept.records import rebuilt

LETTERS_MAX = 200  # of a number or a ticket
_SIGNS = str.maketrans("", "", " -.()/")


@dataclass(frozen=True)
class About:
    """Calls of a tenant with this caller (E.164), or about this ticket. One of both is given."""

    tenant: str
    number: str = ""
    ticket: str = ""

    def fits(self, call: Call) -> bool:
        """Say whether the call is one of them."""
        if call.tenant != self.tenant:
            return False
        if self.number:
            return call.customer_number == self.number.translate(_SIGNS)
        name = ticket_name(self.ticket)
        told = ticket_name(call.parameters.get("ticket_id", ""))
        return bool(name) and name in (told, *tickets(call)[:1])


@dataclass(frozen=True)
class Found:
    """The calls, each with how it stands in the store, and how many could not be looked into."""

    calls: tuple[tuple[Headline, Call], ...]
    unreadable: int


def unwatched(_done: int, _total: int) -> None:
    """For a search that nobody watches."""


async def found(
    journal: Journal, about: About, told: Callable[[int, int], None] = unwatched
) -> Found:
    """Look through the store; `told` hears how many calls of how many. Raises StoreUnavailable."""
    calls: list[tuple[Headline, Call]] = []
    unreadable = 0
    headlines = await journal.open_calls()
    for number, headline in enumerate(headlines):
        told(number, len(headlines))
        try:
            reading = await journal.read(headline.call_sid)
        except SealBroken:
            unreadable += 1
            continue
        if isinstance(reading, Missing):
            continue
        call = rebuilt(None, reading.records)
        if about.fits(call):
            calls.append((headline, call))
        await asyncio.sleep(0)  # calls beside it have their turn between two of these
    return Found(tuple(calls), unreadable)
