"""All calls in a few words, in the memory of this process: for lists, searches and the board.

Only calls whose journal moved are read again, so a look costs what happened since the one before.
"""

import asyncio
import logging
from dataclasses import dataclass

from service.call.shown.card import card, words
from service.call.shown.timeline import Json
from service.errors import Refused, SealBroken, StoreError
from service.journal.journal import Journal
from service.journal.values import Headline
from service.web.reading.showing import Showing, Showings

CARDS_MAX = 10_000  # the newest; a list of more is not read by people, and each costs about 10 KiB
WORDS_MAX = 20  # of one search
SEARCH_LETTERS_MAX = 500
PHASES = ("ringing", "live", "detached", "ended")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Card:
    """One call. `shown` is JSON-ready; two cards of one call with the same version are the same."""

    call_sid: str
    tenant: str
    phase: str
    words: str
    shown: Json
    version: tuple[str, int]


@dataclass(frozen=True)
class Search:
    """Which calls somebody wants to see: a tenant's, of one phase if named, with all the words."""

    tenant: str
    phase: str | None = None
    words: tuple[str, ...] = ()

    def finds(self, one: Card) -> bool:
        """Whether a call is wanted."""
        is_of_phase = self.phase in (None, one.phase)
        return (
            one.tenant == self.tenant
            and is_of_phase
            and all(word in one.words for word in self.words)
        )


def search(tenant: str, phase: str | None, text: str) -> Search:
    """Read what was asked for. Raises Refused."""
    if phase is not None and phase not in PHASES:
        raise Refused(400, "Bad request", f"phase is one of {', '.join(PHASES)}.")
    found = tuple(text.casefold().split())
    if len(found) > WORDS_MAX or len(text) > SEARCH_LETTERS_MAX:
        limits = f"{WORDS_MAX} words and {SEARCH_LETTERS_MAX} characters"
        raise Refused(400, "Bad request", f"q has at most {limits}.")
    return Search(tenant, phase, found)


class Cards:
    """The cards of all calls in the journal, oldest first."""

    def __init__(self, journal: Journal, showings: Showings) -> None:
        self._journal = journal
        self._showings = showings
        self._cards: dict[str, Card] = {}
        self._heads: dict[str, tuple[str, int]] = {}
        self._turn = asyncio.Lock()

    def found(self, search: Search) -> list[Card]:
        """Return the calls that are wanted, as they were at the last look, oldest first."""
        return [one for one in self._cards.values() if search.finds(one)]

    async def look(self) -> None:
        """See what has changed. Raises StoreError."""
        async with self._turn:
            headlines = (await self._journal.open_calls())[-CARDS_MAX:]
            await self._take(headlines)

    async def glance(self) -> None:
        """See what has changed, as far as can be seen. While the store is away, that is what is held here."""
        try:
            await self.look()
        except StoreError as trouble:
            _log.debug("! the store failed: %s", trouble, extra={"action": "store_failed"})
            async with self._turn:
                await self._look_without_store()

    async def _take(self, headlines: tuple[Headline, ...]) -> None:
        before, cards, heads = self._cards, dict[str, Card](), dict[str, tuple[str, int]]()
        for headline in headlines:
            sid, head = headline.call_sid, (headline.incarnation, headline.head)
            known = before.get(sid)
            if known is None or self._heads.get(sid) != head or "~" in known.version[0]:
                known = await self._carded(sid)
            if known is not None:
                cards[sid], heads[sid] = known, head
        self._cards, self._heads = cards, heads

    async def _carded(self, call_sid: str) -> Card | None:
        """Return the call's card; None for one that is gone, or that can't be opened here."""
        try:
            showing = await self._showings.of(call_sid)
        except SealBroken as trouble:
            _log.debug("! %s", trouble, extra={"action": "seal_broken", "call_sid": call_sid})
            return None
        return None if showing is None else _card(call_sid, showing)

    async def _look_without_store(self) -> None:
        for sid, known in list(self._cards.items()):
            if known.phase == "ended":
                continue
            try:
                showing = await self._showings.of(sid)
            except StoreError:
                continue
            if showing is not None:
                self._cards[sid] = _card(sid, showing)


def _card(call_sid: str, showing: Showing) -> Card:
    call = showing.call
    shown = card(showing.timeline, incarnation=showing.incarnation)
    return Card(call_sid, call.tenant, call.phase, words(call), shown, showing.version)
