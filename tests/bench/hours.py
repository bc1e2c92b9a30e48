"""Hours of talk on virtual time: what a long call weighs, and what it costs as it grows.

    python -m tests.bench.hours [HOURS] [CALLS]          by default four hours of two calls

Every ten seconds a caller speaks for four and is answered in five; each stream drops once an hour. All of
the session is real, behind it the bridge and SQLite (in memory, outside of what is weighed); the sound comes in pieces of
100 ms, the voice needs no engine, and nobody waits: when nothing is to be done the clock jumps.

A row an hour: memory that Python holds for each call, beyond the first ten minutes' (tracemalloc), records
written, and processor time for a minute of talk.
"""

import asyncio
import base64
import gc
import random
import sys
import tempfile
import tracemalloc
from typing import NamedTuple

from typing_extensions import override

from service import config as settings
from service.audio import samples, silence
from service.call import events as e
from service.clock import Clock
from service.journal.sqlite.journal import SqliteJournal
from service.journal.sqlite.lane import Job, Lane, T, _Order
from service.journal.stores import connect
from service.parts import Own, Parts, assembled
from service.protocol import messages as m, stream as s
from service.session.arrival import Arrival
from service.session.session import Session
from service.speech.ear.endpoint import Endpointer
from service.speech.transcript import Transcript
from service.testing.quick_ear import AnySound
from service.web.stream.media import _pass_on
from tests.bench._accounts import ACCOUNT
from tests.bench._figures import Figure, tell
from tests.bench._talking import Answerer
from tests.bench._used import used
from tests.bench.resume import Rendered
from tests.simulation.loop import VirtualLoop

HOUR_MS = 3_600_000
WARM_MS = 600_000
PIECE_MS = 100
CYCLE_MS, SPEECH_MS = 10_000, 4_000
DROP_EVERY_MS = HOUR_MS
WALL_NS = 1_760_000_000_000_000_000  # any day
SLOPE_GOAL_KIB = 10.24  # a call and hour: 1 MiB for a hundred
VOICE = bytes([0x10]) * samples(PIECE_MS)
QUIET = silence(samples(PIECE_MS))
SPOKEN = bytes([0x20]) * samples(5_000)
WORDS = (
    "printer",
    "desk",
    "monday",
    "blinks",
    "nobody",
    "paper",
    "since",
    "ticket",
    "again",
    "red",
)
START = (
    '{"event":"start","sequenceNumber":"1","streamSid":"%s","start":{"callSid":"%s","streamSid":"%s",'
    '"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}'
)
MEDIA = '{"event":"media","media":{"track":"inbound","timestamp":"%d","payload":"%s"}}'
MARK = '{"event":"mark","mark":{"name":"%s"}}'


class _Inline(Lane):
    """Does each job at once: there is one thread, and its clock is not real."""

    @override
    def start(self) -> None:
        self._loop = asyncio.get_running_loop()

    @override
    async def _wait(self, job: Job[T] | None, call_sid: str) -> T:
        order = _Order(job, asyncio.get_running_loop().create_future(), call_sid)
        self._settle([order])
        self._deliver([order])
        answer: T = await order.future
        return answer

    @override
    async def close(self) -> None:
        self._file.close()


def _store() -> SqliteJournal:
    journal = connect("sqlite://:memory:", ttl_ms=HOUR_MS)
    assert isinstance(journal, SqliteJournal)
    journal._writing.__class__ = _Inline
    return journal


class _Voice(Rendered):
    """Takes five seconds for anything, and understands something else each time."""

    def __init__(self) -> None:
        self._chance = random.Random(1)

    @override
    async def render(self, text: str, *, call: str) -> bytes:
        return SPOKEN

    @override
    async def transcribe(self, ulaw: bytes, *, call: str, is_guess: bool = False) -> Transcript:
        words = (self._chance.choice(WORDS) for _ in range(12))
        return Transcript(" ".join(words), 950)


class Caller:
    """A caller and their carrier, on the loop's clock."""

    def __init__(self, number: int, parts: Parts) -> None:
        self.call_sid = f"CA{number:032}"
        self._parts = parts
        self._streams = 0
        self._wire = s.Stream()
        self._plays_until_ms = 0

    @property
    def session(self) -> Session:
        session = self._parts.switchboard.find(self.call_sid)
        assert session is not None
        return session

    # What a session asks of a socket.

    async def send(self, text: str) -> None:
        """Nobody has to wait for it."""
        raise AssertionError(text)

    def say(self, *texts: str) -> bool:
        """Play what comes, and echo its marks when they have played."""
        for text in texts:
            self._hear(text)
        return True

    def _hear(self, text: str) -> None:
        loop, now_ms = asyncio.get_running_loop(), self._parts.clock.now_ms()
        match m.decode_outbound(text):
            case m.Media(media=media):
                until_ms = max(now_ms, self._plays_until_ms)
                self._plays_until_ms = until_ms + len(media.payload) // samples(1)
            case m.Mark(mark=mark):
                wait_s = max(0, self._plays_until_ms - now_ms) / 1_000
                loop.call_later(wait_s, self._echo, self._wire, mark.name)
            case m.Clear():
                self._plays_until_ms = 0

    async def close(self, code: int, reason: str, *, grace_ms: int = 0) -> None:
        """Nothing is left to close."""

    # What the caller does.

    async def comes(self) -> None:
        """Open the next stream."""
        self._streams += 1
        self._wire, stream_sid = s.Stream(), f"MZ{self._streams:032}"
        opened = e.CallOpened(
            call_sid=self.call_sid, from_number="+15550001", to_number="+15550002"
        )
        arrival = Arrival(
            socket=self,
            stream_sid=stream_sid,
            door="resume" if self._streams > 1 else "voice",
            opening=(e.encode(opened),),
            parameters={},
            is_known=self._streams > 1,
            started_us=self._parts.clock.now_us(),
            done=asyncio.get_running_loop().create_future(),
        )
        assert await self._parts.switchboard.attach(self.call_sid, arrival) is not None
        self._take(START % (stream_sid, self.call_sid, stream_sid))

    def goes(self) -> None:
        """Lose the stream."""
        self.session.lost(self.session.epoch, "closed 1006")
        self._plays_until_ms = 0

    def sounds(self, at_ms: int) -> None:
        """Send the next piece: a voice for the first seconds of each round, then a quiet line."""
        ulaw = VOICE if at_ms % CYCLE_MS < SPEECH_MS else QUIET
        self._take(MEDIA % (at_ms, base64.b64encode(ulaw).decode()))

    def _echo(self, wire: s.Stream, name: str) -> None:
        if wire is self._wire:
            self._take(MARK % name)

    def _take(self, text: str) -> None:
        session, now_ms = self.session, self._parts.clock.now_ms()
        for event in self._wire.receive(text, now_ms):
            _pass_on(session, session.epoch, event, now_ms)


class Weighed(NamedTuple):
    """How it stands after some time."""

    at_ms: int
    kib: float
    records: int
    us_a_minute: int


async def _lived(parts: Parts, hours: int, calls: int) -> list[Weighed]:
    """Let the calls talk, and weigh them after the warm-up and each hour."""
    await parts.journal.start()
    callers = [Caller(number, parts) for number in range(calls)]
    for one in callers:
        await one.comes()
    found: list[Weighed] = []
    marks_ms = [WARM_MS, *range(HOUR_MS, hours * HOUR_MS + 1, HOUR_MS)]
    used_us, since_ms = _used_us(), 0
    for at_ms in range(PIECE_MS, marks_ms[-1] + 1, PIECE_MS):
        await asyncio.sleep(PIECE_MS / 1_000)
        for one in callers:
            one.sounds(at_ms)
        if at_ms % DROP_EVERY_MS == DROP_EVERY_MS // 2:
            for one in callers:
                one.goes()
                await one.comes()
        if at_ms in marks_ms:
            took_us = (_used_us() - used_us) * 60_000 // (at_ms - since_ms) // calls
            found.append(_weighed(at_ms, callers, took_us))
            used_us, since_ms = _used_us(), at_ms
    await parts.switchboard.close()
    await parts.journal.close()
    return found


def _used_us() -> int:
    return used()["cpu_us"]


def _weighed(at_ms: int, callers: list[Caller], us_a_minute: int) -> Weighed:
    gc.collect()
    held_bytes, _ = tracemalloc.get_traced_memory()
    records = max(one.session.call.position for one in callers)
    return Weighed(at_ms, held_bytes / 1_024 / len(callers), records, us_a_minute)


def measured(hours: int, calls: int) -> list[Weighed]:
    """Return how it stood after the warm-up and after each hour."""
    loop = VirtualLoop()
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=lambda: loop) as runner,
    ):
        config = settings.load(
            _env_file=None,
            public_url="https://calls.example.com",
            twilio_account_sid=ACCOUNT.account_sid,
            twilio_auth_token=ACCOUNT.auth_token,
            api_tokens="a bearer token for benchmarks:admin",
            store_url="sqlite://:memory:",
            write_behind=folder,
        )
        own = Own(
            agent=Answerer(),
            speech=_Voice(),  # type: ignore[arg-type] # all of it that is used
            endpointer=lambda: Endpointer(AnySound()),
            clock=Clock(lambda: WALL_NS + loop.now_ns(), loop.now_ns),
            engine=_store(),
        )
        tracemalloc.start()
        try:
            return runner.run(_lived(assembled(config, own), hours, calls))
        finally:
            tracemalloc.stop()


def main() -> None:
    """Print the table."""
    hours, calls = (*map(int, sys.argv[1:3]), *(4, 2)[len(sys.argv) - 1 :])
    found = measured(hours, calls)
    sys.stdout.write(f"{'after':>8} {'KiB a call':>11} {'records':>8} {'us a minute':>12}\n")
    for one in found:
        minutes = one.at_ms // 60_000
        sys.stdout.write(
            f"{minutes:>4} min {one.kib:11,.1f} {one.records:8,} {one.us_a_minute:12,}\n"
        )
    slope = (found[-1].kib - found[0].kib) / max(1, (found[-1].at_ms - WARM_MS) / HOUR_MS)
    growth = found[-1].us_a_minute / found[1].us_a_minute
    sys.stdout.write(
        f"{slope:.1f} KiB a call and hour; the last hour cost {growth:.2f} times the first\n"
    )
    tell(Figure("growth of a call, an hour of talk", slope, "KiB", goal_max=SLOPE_GOAL_KIB))
    tell(Figure("cost of a call's last hour of four", found[-1].us_a_minute, "us a minute",
                floor=found[1].us_a_minute, of="its first"))  # fmt: skip


if __name__ == "__main__":
    main()
