"""One phone call, as a person or a test holds it: who is on the line, what happened, what to wait for.

phone = await exchange.call()
await phone.until(lambda it: it.agent_turns == 1, "the agent greets")
phone.caller.say(ulaw)
await phone.caller.drop("reset")
await phone.until(lambda it: it.streams == 2, "the stream comes back")
await phone.hang_up()
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime

from service.clock import Clock
from service.simulator import recording, words
from service.simulator.account import resolved
from service.simulator.caller import PAUSE_MS, Ear, Mouth, Utterance
from service.simulator.card import Card
from service.simulator.course import Course
from service.simulator.order import HangUp, Order
from service.simulator.streams import faults
from service.simulator.streams.bridge import Bridge
from service.simulator.streams.line import Line
from service.simulator.timeline import Kind, Timeline
from service.simulator.twiml.verbs import Stream
from service.simulator.webhook import Fields, Webhooks

UNTIL_MS = 10_000  # what a test may wait for comes sooner, or not at all
LOOK_MS = 20  # a predicate may read what makes no event
END_MS_MAX = 20_000  # the longest callback and the slowest close together
KEY_GAP_MS = 250  # a quick thumb
EVENTS_SHOWN = 15  # enough of the timeline to see why a wait ended in vain
MASKED = "•"  # a key of a card: Twilio shows none of them in its logs
KEYS = frozenset("0123456789*#ABCD")


class Caller:
    """The person who calls."""

    def __init__(self, phone: "Phone", mouth: Mouth) -> None:
        self._phone = phone
        self._mouth = mouth

    def say(self, ulaw: bytes) -> Utterance:
        """Speak now, or after the words already begun; whether a stream is there or not."""
        utterance = self._mouth.say(ulaw, self._phone.now_ms())
        self._phone.spawn(self._phone.announce(utterance))
        return utterance

    def hush(self) -> None:
        """Stop speaking in the middle of a word."""
        self._mouth.hush(self._phone.now_ms())

    async def press(self, digits: str) -> None:
        """Press keys, 250 ms apart; a key pressed while no stream is there is lost, as on a real line."""
        for index, digit in enumerate(digits):
            if digit not in KEYS:
                raise ValueError(f"{digit!r} is no key of a phone")
            if index:
                await asyncio.sleep(KEY_GAP_MS / 1_000)
            await self._phone.press(digit)

    async def drop(self, fault: faults.Fault | str = "reset") -> None:
        """Let a fault come to the live stream, by its value or its name."""
        await self._phone.harm(fault)

    async def drop_ear(self, fault: faults.Fault | str = "reset") -> None:
        """Let a fault come to the newest listening stream, and to no other."""
        await self._phone.harm(fault, of_ear=True)

    @property
    def utterances(self) -> list[Utterance]:
        """Return what was said, oldest first."""
        return list(self._mouth.utterances)

    def hear(self) -> bytes:
        """Return all that was heard so far as mu-law, from the first stream's start, gaps as silence."""
        return self._phone.heard()


class Phone:
    """A phone call that is under way."""

    def __init__(
        self, card: Card, *, from_: str, to: str, webhooks: Webhooks, clock: Clock
    ) -> None:
        self.call_sid = card.call_sid
        self.card = card
        self.from_ = from_
        self.to = to
        self.created_ms = clock.now_ms()
        self.timeline = Timeline()
        self.ear = Ear()
        mouth = Mouth()
        self.caller = Caller(self, mouth)
        self._clock = clock
        self._webhooks = webhooks
        self._beside: set[asyncio.Task[None]] = set()
        self._owed: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._changed = asyncio.Event()
        self.timeline.listen(lambda _: self._changed.set())
        self.course = Course(
            card, card.fields(from_, to), webhooks=webhooks, timeline=self.timeline, clock=clock
        )
        self._bridge = Bridge(
            card,
            mouth=mouth,
            ear=self.ear,
            timeline=self.timeline,
            clock=clock,
            tell=self._tell,
            spawn=self.spawn,
        )

    @property
    def status(self) -> str:
        """Return Twilio's word for the call's state: ringing, in-progress, completed, busy …."""
        return self.course.status

    @property
    def is_over(self) -> bool:
        """Say whether the call has ended."""
        return self.course.is_over

    @property
    def is_live(self) -> bool:
        """Say whether a stream carries the call now."""
        return self._bridge.live is not None

    @property
    def lines(self) -> list[Line]:
        """Return the call's streams, oldest first."""
        return list(self._bridge.lines)

    @property
    def streams(self) -> int:
        """Return how many streams were opened."""
        return len(self._bridge.lines)

    @property
    def forks(self) -> list[Line]:
        """Return the streams that only listen and do so now, oldest first."""
        return self._bridge.forks.live

    @property
    def agent_turns(self) -> int:
        """Return how many stretches of agent speech have begun."""
        return len(self.ear.stretches)

    @property
    def agent_speaks(self) -> bool:
        """Say whether the caller hears the agent now; a gap between streams is silence."""
        return self.ear.is_spoken_to() and self.ear.quiet_ms(self.now_ms()) < PAUSE_MS

    @property
    def warnings(self) -> list[str]:
        """Return what the service did against the protocol; empty is the only good answer."""
        return [f"{event.value} {event.text}" for event in self.timeline.of(Kind.WARNING)]

    def now_ms(self) -> int:
        """Return the present."""
        return self._clock.now_ms()

    def heard(self) -> bytes:
        """Return what the caller heard so far; see Caller.hear."""
        if not self.lines:
            return b""
        now_ms = self.now_ms()
        pieces = [piece for line in self.lines for piece in line.leg.heard(line.ended_ms or now_ms)]
        return recording.joined(pieces, from_ms=self.lines[0].started_ms, until_ms=now_ms)

    async def until(
        self, predicate: Callable[["Phone"], bool], description: str, *, timeout_ms: int = UNTIL_MS
    ) -> None:
        """Return as soon as the predicate holds; else raise TimeoutError with the latest events.

        What went wrong inside the stand-in itself is raised here, too.
        """
        deadline_ms = self.now_ms() + timeout_ms
        while not predicate(self):
            if self._failure is not None:
                raise self._failure
            if self.now_ms() >= deadline_ms:
                raise TimeoutError(f"not within {timeout_ms} ms: {description}\n{self.story()}")
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_MS / 1_000):
                    await self._changed.wait()

    def story(self) -> str:
        """Return the latest events as lines of text."""
        origin = self.timeline.origin_ms()
        return "\n".join(
            f"  {words.clock_text(event.at_ms - origin)} {event.kind} {event.text}"
            f" stream={event.stream} value={event.value}"
            for event in self.timeline.events[-EVENTS_SHOWN:]
        )

    def order(self, order: Order) -> None:
        """Cut what the call is doing and do this: what a REST update does."""
        self.timeline.note(self.now_ms(), Kind.ORDER, type(order).__name__)
        self.course.order(order)

    async def hang_up(self) -> None:
        """Let the caller hang up; returns when the call is over, callbacks told, sockets closed."""
        if not self.is_over:
            self.course.order(HangUp("the caller hung up"))
        await self.finished()

    async def finished(self) -> None:
        """Return when the call has ended by itself and everything of it is let go."""
        while self._owed:
            done, _ = await asyncio.wait(list(self._owed), timeout=END_MS_MAX / 1_000)
            if not done:
                break
        for task in self._beside:
            task.cancel()

    async def press(self, digit: str) -> None:
        """Send one key to the till that asks for it, or to the live stream, if there is one."""
        line = self._bridge.live
        if self.course.till is not None:
            self.timeline.note(self.now_ms(), Kind.KEY, MASKED)
            self.course.till.press(digit)
        elif line is None:
            self.timeline.note(self.now_ms(), Kind.KEY_LOST, digit)
        else:
            await line.press(digit)

    async def harm(self, fault: faults.Fault | str, *, of_ear: bool = False) -> None:
        """Let a fault come to the live stream, or to the newest that only listens. That there is none is noted."""
        asked = faults.parse(fault) if isinstance(fault, str) else fault
        harmed = self._bridge.forks.harm if of_ear else self._bridge.harm
        if not await harmed(asked):
            self.timeline.note(self.now_ms(), Kind.NOTE, f"no stream for {faults.name(asked)}")

    async def announce(self, utterance: Utterance) -> None:
        """Note when an utterance begins and ends."""
        length = f"{recording.duration_ms(utterance.ulaw)} ms"
        for at_ms, kind in (
            (utterance.start_ms, Kind.CALLER_BEGAN),
            (utterance.end_ms, Kind.CALLER_STOPPED),
        ):
            await asyncio.sleep(max(0, at_ms - self.now_ms()) / 1_000)
            if not self.is_over:
                self.timeline.note(self.now_ms(), kind, length)

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Run something beside the call; the end of the call ends it."""
        self._keep(self._beside, work)

    def begin(self, *, is_doubled: bool = False) -> None:
        """Let the phone ring."""
        self._keep(self._owed, self.course.run(self._bridge, is_doubled=is_doubled))

    async def release(self) -> None:
        """End the call at once, whatever it is doing, and let everything go."""
        tasks = [*self._owed, *self._beside]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._bridge.release()

    def _tell(self, stream: Stream, stream_sid: str, event: str, error: int) -> None:
        if not stream.status_callback:
            return
        fields = [
            ("AccountSid", self.card.account.account_sid),
            ("CallSid", self.call_sid),
            ("StreamSid", stream_sid),
            ("StreamName", stream.name or stream_sid),
            ("StreamEvent", event),
            ("Timestamp", datetime.fromtimestamp(self.now_ms() / 1_000, UTC).isoformat()),
        ]
        if error:
            fields += [
                ("StreamError", f"Stream signal error, code: {error}"),
                ("StreamErrorCode", str(error)),
            ]
        self._keep(self._owed, self._call_back(stream, event, fields))

    async def _call_back(self, stream: Stream, event: str, fields: Fields) -> None:
        number = self.card.number
        url = resolved(stream.status_callback, number.url(number.voice_path))
        status = await self._webhooks.tell(number, url, fields, stream.status_method)
        self.timeline.note(self.now_ms(), Kind.CALLBACK, event, value=status)

    def _keep(self, tasks: set[asyncio.Task[None]], work: Coroutine[object, object, None]) -> None:
        def end(task: asyncio.Task[None]) -> None:
            tasks.discard(task)
            if not task.cancelled() and self._failure is None:
                self._failure = task.exception()

        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(end)
