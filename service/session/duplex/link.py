"""The connection to a model: opened when it is wanted, served, and opened again when it dies.

    wanted ──> opening ──> open ──> dead, dropped, stuck ──> opening …
                            └─ rested ──> wanted again
                 └─ after 1 s: the caller is told · after 20 s: given up

Everything that is asked of a session is done in order by one task, so that no order overtakes another.
What was ordered of a session that died is forgotten: the next one is told how things stand then.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from service.agent.duplex import Failed, GoAway, SpeechEvent, SpeechSession
from service.errors import BrainRefused
from service.redaction import own_words

AWAY_MS = 1_000  # a pause that callers take for thinking; then they are told
GONE_MS = 20_000  # a caller who waits longer has hung up
ANSWER_MS_MAX = 10_000  # a model that takes longer to begin is taken for dead
BACKOFF_MS = 250  # before the second attempt; it doubles with each
BACKOFF_MS_MAX = 4_000  # twenty seconds are too few to wait longer
JITTER_PERCENT = 25  # many calls lose the same server at once
ORDERS_MAX = 1_000  # twenty seconds of audio; a server that takes none for so long is gone
GO_AWAY_SPARE_MS = 10_000  # opening the next session takes half of it at worst

STEADY_MS = 10_000  # a session that lived so long was a good one: its end is no failure
FLAPS_MAX = 8  # sessions that died young, one after the other

Order: TypeAlias = Callable[[SpeechSession], Awaitable[None]]

_log = logging.getLogger(__name__)


class Link:
    """At most one session at a time. `on_open` is called before anything can be ordered of it."""

    def __init__(
        self,
        call_sid: str,
        chance: random.Random,
        open_session: Callable[[], Awaitable[SpeechSession]],
        *,
        on_open: Callable[[], None],
        on_event: Callable[[SpeechEvent], None],
        on_closed: Callable[[], None],
        on_away: Callable[[], None],
        on_gone: Callable[[], None],
    ) -> None:
        self._call_sid = call_sid
        self._chance = chance
        self._open_session = open_session
        self._on_open = on_open
        self._on_event = on_event
        self._on_closed = on_closed
        self._on_away = on_away
        self._on_gone = on_gone
        self._wanted = asyncio.Event()
        self._orders: asyncio.Queue[Order] | None = None
        self._listening: asyncio.Task[None] | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._renewal_due = False
        self._failures = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a session."""
        return self._orders is not None

    @property
    def is_renewal_due(self) -> bool:
        """Whether the session will end soon, and a quiet moment should be used to open the next."""
        return self._renewal_due

    @property
    def is_expecting(self) -> bool:
        """Whether the model owes an answer."""
        return "answer" in self._timers

    def want(self) -> None:
        """A session is needed from now on."""
        self._wanted.set()

    def rest(self) -> None:
        """No session is needed until one is wanted again; the present one ends."""
        if self._wanted.is_set():
            self._wanted.clear()
            self._not_later("away", "gone", "answer")
            if self._listening is not None:
                self._listening.cancel()

    def order(self, order: Order) -> None:
        """Have something done by the present session; without one it is forgotten."""
        if self._orders is None:
            return
        if self._orders.qsize() >= ORDERS_MAX:
            self.drop("it takes nothing")
            return
        self._orders.put_nowait(order)

    def expect(self) -> None:
        """The model owes an answer from now on."""
        if self.is_open and not self.is_expecting:
            self._later("answer", ANSWER_MS_MAX, lambda: self.drop("it does not answer"))

    def answered(self) -> None:
        """The model owes nothing."""
        self._not_later("answer")

    def drop(self, why: str) -> None:
        """Give the present session up, and open the next."""
        if self._listening is not None:
            self._tell(own_words(why))
            self._listening.cancel()

    async def run(self) -> None:
        """Keep a session open, once it is wanted, until cancelled."""
        try:
            while True:
                await self._wanted.wait()
                session = await self._opened()
                try:
                    if self._wanted.is_set():
                        await self._serve(session)
                finally:
                    self._orders = self._listening = None
                    self._not_later("answer", "renew")
                    await session.close()
                self._on_closed()
        finally:
            self._not_later(*tuple(self._timers))

    async def _opened(self) -> SpeechSession:
        """Return a session, however often it takes to try."""
        self._later("away", AWAY_MS, self._on_away)
        self._later("gone", GONE_MS, self._on_gone)
        while True:
            if self._failures:
                await asyncio.sleep(self._backoff_ms() / 1000)
            try:
                session = await self._open_session()
            except BrainRefused as trouble:
                self._failures += 1
                self._tell(trouble)
                if "gone" in self._timers:
                    self._not_later("away", "gone")
                    self._on_gone()
            except Exception as trouble:  # noqa: BLE001 - a brain raises what it likes: the call must not die of it
                self._failures += 1
                self._tell(trouble)
            else:
                self._not_later("away", "gone")
                return session

    def _backoff_ms(self) -> int:
        pause_ms = min(BACKOFF_MS_MAX, BACKOFF_MS << min(self._failures - 1, 10))
        spread = pause_ms * JITTER_PERCENT // 100
        return pause_ms + self._chance.randint(-spread, spread)

    async def _serve(self, session: SpeechSession) -> None:
        self._orders, self._renewal_due = asyncio.Queue(), False
        self._listening = asyncio.create_task(self._listen(session))
        obeying = asyncio.create_task(self._obey(session, self._orders))
        began = asyncio.get_running_loop().time()
        try:
            self._on_open()
            await asyncio.wait((self._listening, obeying), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (self._listening, obeying):
                task.cancel()
            for trouble in await asyncio.gather(self._listening, obeying, return_exceptions=True):
                if isinstance(trouble, Exception):
                    self._tell(trouble)
            if self._wanted.is_set():
                self._judge(asyncio.get_running_loop().time() - began)

    def _judge(self, lived_s: float) -> None:
        """A server that opens sessions only to end them is as good as away."""
        self._failures = 0 if lived_s * 1000 >= STEADY_MS else self._failures + 1
        if self._failures >= FLAPS_MAX:
            self._on_gone()

    async def _obey(self, session: SpeechSession, orders: asyncio.Queue[Order]) -> None:
        while True:
            order = await orders.get()
            await order(session)

    async def _listen(self, session: SpeechSession) -> None:
        async for event in session.events():
            if isinstance(event, Failed):
                self._tell(event.detail)
                return
            if isinstance(event, GoAway):
                self._renewal_due = True
                left_ms = max(0, event.left_ms - GO_AWAY_SPARE_MS)
                self._later("renew", left_ms, lambda: self.drop("its time is over"))
            self._on_event(event)

    def _later(self, what: str, in_ms: int, then: Callable[[], None]) -> None:
        self._not_later(what)

        def due() -> None:
            self._timers.pop(what, None)
            then()

        self._timers[what] = asyncio.get_running_loop().call_later(in_ms / 1000, due)

    def _not_later(self, *whats: str) -> None:
        for what in whats:
            timer = self._timers.pop(what, None)
            if timer is not None:
                timer.cancel()

    def _tell(self, why: object) -> None:
        _log.warning(
            "! the session with the model ended: %s",
            why,
            extra={"action": "model_lost", "call_sid": self._call_sid},
        )
