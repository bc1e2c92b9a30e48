"""Rotation: every call's key is wrapped anew by its tenant's newest master. No record is touched."""

from collections.abc import Callable
from typing import NamedTuple

from service.errors import SealBroken
from service.journal.seal.journal import SealedJournal


class Rewrapped(NamedTuple):
    """How many keys were wrapped anew, were so already, and could not be opened."""

    anew: int
    current: int
    unreadable: int


def unwatched(_done: int, _total: int) -> None:
    """For work that nobody watches."""


async def rewrap(journal: SealedJournal, told: Callable[[int, int], None] = unwatched) -> Rewrapped:
    """Wrap all keys anew. Raises StoreUnavailable; begun again, it goes on where it stopped.

    `told` hears how many calls of how many are done. Calls go on meanwhile, under their keys, which
    stay what they are. Once nothing is `unreadable` the older masters may be taken out of SEAL_KEYS.
    """
    anew = current = unreadable = 0
    calls = await journal.open_calls()
    for number, headline in enumerate(calls):
        told(number, len(calls))
        call_sid = headline.call_sid
        wrapped = await journal.vault.fetch(call_sid)
        if wrapped is None:
            continue  # of a time without keys, or erased meanwhile
        try:
            after = journal.masters.rewrapped(wrapped, call_sid)
        except SealBroken:
            unreadable += 1
            continue
        if after is None:
            current += 1
        elif await journal.vault.replace(call_sid, wrapped, after):
            anew += 1
    return Rewrapped(anew, current, unreadable)
