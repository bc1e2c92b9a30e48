"""Hundreds of callers in one event loop: Twilio's stand-in with light calls.

    async with Crowd(account) as crowd:
        crowd.route(balancer.url)
        await crowd.gather(200)                    all greeted
        crowd.press_on(every_ms=5_000, seed=1)     each presses codes and hears "Noted 017."

Course, webhooks and REST API are the stand-in's own; only the streams are lighter (span.py). What a
caller heard is read off the audio, which carries its words (service.testing.textspeech).
"""

import asyncio
from itertools import pairwise
from types import TracebackType
from typing import Self

from typing_extensions import override

from service.chaos.callers.chance import chance
from service.chaos.callers.courier import Courier
from service.chaos.callers.span import Detour, Span, Via
from service.chaos.waiting import until
from service.clock import Clock
from service.errors import StaylineError
from service.simulator.account import Account, Terms, new_sid
from service.simulator.card import Card
from service.simulator.exchange.exchange import Exchange
from service.simulator.phone import Phone
from service.simulator.webhook import Webhooks
from service.testing.talker import GREETING, NOTED
from service.testing.textspeech import Word

MEDIA_MS = 100  # of audio in one message; the size of a frame is not documented
TICK_MS = 10
SLOTS = 10  # a call's turn comes every tenth tick
GATHER_PER_S = 40
GREETED_S_MAX = 60.0
RINGING_MAX = 10
CODES_MAX = 1_000


class Unspoken(StaylineError):
    """Callers came, and nobody spoke to them."""


class LightPhone(Phone):
    """A call whose caller presses codes, and notes how soon an answer sounds."""

    def __init__(
        self,
        card: Card,
        *,
        from_: str,
        to: str,
        webhooks: Webhooks,
        clock: Clock,
        media_ms: int,
    ) -> None:
        super().__init__(card, from_=from_, to=to, webhooks=webhooks, clock=clock)
        self.span = Span(
            card,
            timeline=self.timeline,
            clock=clock,
            tell=self._tell,
            spawn=self.spawn,
            media_ms=media_ms,
        )
        self.span.on_media = self._sounds
        self._bridge = self.span
        self.pressed = 0
        self.quiet_ms = (
            0  # when all had been said, 0 for not yet: what is given up later was left out
        )
        # In microseconds: when the last key of a code was pressed, and how much later it was answered;
        # when one was pressed that nothing answered; and those pressed while we spoke: what came then
        # may be no answer.
        self.answers: list[tuple[int, int]] = []
        self.unanswered: list[int] = []
        self.talked_over: set[int] = set()
        self._asked_us = 0
        self._asked_on = 0

    def press_code(self) -> None:
        """Press the next code, if a stream is there."""
        if self.waits_us:
            self.unanswered.append(self.waits_us)
        is_spoken_to = self.is_spoken_to
        if self.span.press(f"{self.pressed % CODES_MAX:03}#"):
            self.pressed += 1
            self._asked_us, self._asked_on = self._clock.now_us(), len(self.span.strands)
            if is_spoken_to:
                self.talked_over.add(self._asked_us)

    @property
    def is_spoken_to(self) -> bool:
        """Say whether audio of the service is still to be heard on the stream there is."""
        strand = self.span.strand
        return strand is not None and bool(strand.leg.buffered(self._clock.now_ms()))

    @property
    def waits_us(self) -> int:
        """Since when an answer to a code is waited for on this very stream, 0 for not."""
        return self._asked_us if self._asked_on == len(self.span.strands) else 0

    def _sounds(self, now_us: int) -> None:
        if self.waits_us:
            self.answers.append((self._asked_us, now_us - self._asked_us))
        self._asked_us = 0

    def words(self, *, known: bool = False) -> list[Word]:
        """Return every word that was heard whole, oldest first.

        Those `known` only: of the last second of a stream, and of what was heard while it was harmed,
        the service may not know.
        """
        now_ms = self._clock.now_ms()
        found: list[Word] = []
        for strand in self.span.strands:
            until_ms = strand.known_ms(now_ms) if known else now_ms
            found += [word for at_ms, word in strand.heard(now_ms) if at_ms <= until_ms]
        return found

    def told(self, said: str = NOTED, *, known: bool = False) -> list[str]:
        """Return the codes that followed this word: what was acknowledged to the caller."""
        heard = [word.text.strip(".,") for word in self.words(known=known)]
        return [code for word, code in pairwise(heard) if word == said and code.isdigit()]

    def noted(self) -> list[str]:
        """Return the codes that the caller was told to be noted."""
        return self.told(NOTED)

    @property
    def greetings(self) -> int:
        """Return how often the greeting was heard, all its words, and known to be heard.

        What was cut before its last mark came back is rightly said again.
        """
        heard = [word.text for word in self.words(known=True)]
        return min(heard.count(word) for word in GREETING.split())

    def gaps_ms(self) -> list[int]:
        """Return how long the caller was without a stream, each time."""
        return [
            (later.started_us - earlier.ended_us) // 1_000
            for earlier, later in pairwise(self.span.strands)
        ]


class Crowd(Exchange):
    """The exchange of many light calls."""

    def __init__(
        self,
        account: Account,
        *,
        terms: Terms | None = None,
        media_ms: int = MEDIA_MS,
        rest_port: int = 0,
        is_local: bool = True,
    ) -> None:
        # Twilio's next request may come from another machine: no connection is used twice.
        transport = Courier() if is_local else None
        super().__init__(account, terms=terms, rest_port=rest_port, transport=transport)
        self._media_ms = media_ms
        self.callers: list[LightPhone] = []
        self.lag_ms_max = 0
        self._rung = 0
        self._pressing: dict[str, int] = {}
        self._every_ms = 0
        self._chance = chance(0)
        self._ticking: asyncio.Task[None] | None = None

    @override
    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._ticking = asyncio.create_task(self._tick())
        return self

    @override
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
        await super().__aexit__(kind, error, trace)

    def ring(self, detour: Detour | None = None, via: Via | None = None) -> LightPhone:
        """Let one more phone ring; its streams take the detour, or go through a proxy."""
        card = Card(
            account=self.account,
            number=self._number,
            terms=self.terms,
            call_sid=new_sid("CA"),
            api_url=self.api_url,
        )
        phone = LightPhone(
            card,
            from_=f"+1555{self._rung:07}",
            to="+15550002",
            webhooks=self._webhooks,
            clock=self.clock,
            media_ms=self._media_ms,
        )
        phone.span.detour, phone.span.via = detour, via
        self.phones[phone.call_sid] = phone
        self.callers.append(phone)
        self._rung += 1
        phone.begin()
        return phone

    async def gather(
        self,
        count: int,
        *,
        per_s: int = GATHER_PER_S,
        detour: Detour | None = None,
        via: Via | None = None,
    ) -> list[LightPhone]:
        """Let `count` phones ring, one after the other; returns them when all heard us, or raises Unspoken."""
        came = []
        for _ in range(count):
            came.append(self.ring(detour, via))
            await asyncio.sleep(1 / per_s)
            # A crowd that only comes in isn't what is measured: it waits for a machine that is busy.
            await until(lambda: _unspoken(came) < RINGING_MAX, within_s=GREETED_S_MAX)
        is_greeted = await until(lambda: all(map(_was_spoken_to, came)), within_s=GREETED_S_MAX)
        if not is_greeted:
            silent = [one for one in came if not _was_spoken_to(one)]
            raise Unspoken(f"{len(silent)} of {count} callers hear nothing\n{silent[0].story()}")
        return came

    def press_on(self, *, every_ms: int, seed: int) -> None:
        """Let every caller press a code every now and then; 0: nobody any more."""
        self._every_ms = every_ms
        self._chance = chance(seed)
        self._pressing.clear()

    @property
    def live(self) -> list[LightPhone]:
        """Return the callers who have a stream now."""
        return [phone for phone in self.callers if phone.span.strand is not None]

    @property
    def ended(self) -> list[LightPhone]:
        """Return the callers whose call is over, whoever ended it."""
        return [phone for phone in self.callers if phone.is_over]

    async def until_live(self, count: int, *, within_s: float) -> bool:
        """Wait until so many callers have a stream that speaks or listens; False when it never comes."""
        return await until(lambda: len(self.live) >= count, within_s=within_s)

    async def _tick(self) -> None:
        slot, due_ms = 0, self.clock.now_ms()
        while True:
            now_ms = self.clock.now_ms()
            self.lag_ms_max = max(self.lag_ms_max, now_ms - due_ms)
            for phone in self.callers[slot::SLOTS]:
                phone.span.tick(now_ms)
                if self._every_ms:
                    self._press(phone, now_ms)
            slot = (slot + 1) % SLOTS
            due_ms = max(due_ms + TICK_MS, now_ms - TICK_MS)
            await asyncio.sleep(max(0, due_ms - self.clock.now_ms()) / 1_000)

    def _press(self, phone: LightPhone, now_ms: int) -> None:
        due_ms = self._pressing.setdefault(
            phone.call_sid, now_ms + self._chance.randrange(self._every_ms)
        )
        if now_ms >= due_ms:
            self._pressing[phone.call_sid] = due_ms + self._every_ms
            phone.press_code()


def _unspoken(phones: list[LightPhone]) -> int:
    return sum(not _was_spoken_to(phone) for phone in phones[-2 * RINGING_MAX :])


def _was_spoken_to(phone: LightPhone) -> bool:
    return any(strand.first_media_us for strand in phone.span.strands)
