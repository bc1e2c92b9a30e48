"""How long a caller waits after a drop: `start` received to the first outbound frame, in process.

    python -m tests.bench.resume [RUNS]

A call with a journal of 200 records resumes RUNS times (default 200) on a real SQLite file, through
the real session, with the real carrier-side messages and a voice whose audio is already rendered (the
cache's case: what is resumed was rendered before). The base line is the bare floor under it: one
claim, one fold of 200 records, one append, in the same run.
"""

import asyncio
import random
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from service.call import events as e
from service.call.acts import Act
from service.call.policy import Policy
from service.call.state import Call, Turn
from service.carrier import Carrier
from service.clock import Clock
from service.documents import Documents
from service.journal.journal import Journal
from service.journal.stores import connect
from service.meter import Meter
from service.session.arrival import Arrival
from service.session.kept.ledger import Ledger
from service.session.means import Means
from service.session.pacer import Pacer
from service.session.sound.forks import Forks
from service.session.tasks import Tasks
from service.sight.noticing import Sight
from service.speech.ear.endpoint import Endpointer
from service.speech.ear.vad import voice_activity
from service.speech.transcript import Transcript
from service.switchboard.switchboard import Switchboard
from service.tools.toolbox import Toolbox
from service.trust.token import TokenMint

RECORDS = 200
RUNS = 200
CLAUSE = "This sentence is what the caller was hearing when the line went."


class Silent:
    """An agent that has nothing to say: the resumed sentence is what is measured."""

    async def reply(self, _call: Call, _turn: Turn) -> AsyncIterator[Act]:
        """Say nothing."""
        acts: tuple[Act, ...] = ()
        for act in acts:
            yield act


class Rendered:
    """A voice whose audio is already there."""

    async def render(self, text: str, *, call: str) -> bytes:
        """Return a second of audio."""
        del text, call
        return b"\x00" * 8_000

    async def transcribe(self, ulaw: bytes, *, call: str, is_guess: bool = False) -> Transcript:
        """Return nothing."""
        del ulaw, call, is_guess
        return Transcript("", 0)


class FirstFrame:
    """A socket that notes when the first audio came."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.came = asyncio.Event()
        self.at_us = 0

    def say(self, *texts: str) -> bool:
        """Take some messages."""
        if not self.at_us and any('"media"' in text for text in texts):
            self.at_us = self._clock.now_us()
            self.came.set()
        return True

    async def send(self, text: str) -> None:
        """Nobody has to wait for it."""
        raise AssertionError(text)

    async def close(self, code: int, reason: str, *, grace_ms: int = 0) -> None:
        """Do nothing."""


def means(journal: Journal, clock: Clock) -> Means:
    """Return what a session needs, with nothing slower than the store in it."""
    mint, meter = TokenMint(("secret",)), Meter()
    return Means(
        journal=journal,
        carrier=Carrier("AC1", ("secret",), "http://127.0.0.1:1", random.Random(1)),
        agent=Silent(),
        speech=Rendered(),
        endpointer=lambda: Endpointer(voice_activity()),
        documents=Documents("https://example.com", mint, lambda: "n" * 16, ""),
        clock=clock,
        pacer=Pacer(clock),
        meter=meter,
        sight=Sight(meter),
        policy=Policy(drops_max=10**9),
        toolbox=Toolbox.none(),
        owner="bench",
        forks=Forks(Tasks()),
        tasks=Tasks(),
    )


async def prepared(journal: Journal, call_sid: str, clock: Clock, clause: str = CLAUSE) -> None:
    """Write a call of RECORDS records whose last prompt was not heard to its end."""
    facts: list[e.Known] = [e.CallOpened(call_sid=call_sid, parameters={"client_name": "Ann"})]
    facts += [e.StreamAttached(stream_sid="MZ0", cause="new", gap_ms=0, server="bench")]
    facts += [e.Greeted(prompt="p1"), e.TurnAnswered(turn=1)]
    while len(facts) < RECORDS - 2:
        number = len(facts)
        facts.append(e.CallerSpoke(text=f"Line {number} of what the caller said.", partial=True))
    facts.append(e.AgentSpoke(prompt="p1", clauses=(clause, clause)))
    facts.append(e.StreamDetached(stream_sid="MZ0", reason="closed", last_media_ms=clock.now_ms()))
    await journal.open(call_sid, [e.encode(facts[0])], now_ms=clock.now_ms())
    await journal.append(
        call_sid,
        [e.encode(fact) for fact in facts[1:]],
        epoch=None,
        after=None,
        key="all",
        now_ms=clock.now_ms(),
    )


async def resumed_us(switchboard: Switchboard, call_sid: str, clock: Clock) -> int:
    """Resume once on a switchboard that has never seen the call; return microseconds."""
    socket = FirstFrame(clock)
    started_us = clock.now_us()
    arrival = Arrival(
        socket=socket,
        stream_sid="MZ1",
        door="resume",
        opening=(),
        parameters={},
        is_known=True,
        started_us=started_us,
        done=asyncio.get_running_loop().create_future(),
    )
    taken = await switchboard.attach(call_sid, arrival)
    assert taken is not None
    await socket.came.wait()
    return socket.at_us - started_us


async def floor_us(journal: Journal, call_sid: str, clock: Clock) -> int:
    """Claim, fold and append once, with nothing around it."""
    ledger = Ledger(call_sid, journal, "floor")
    started_us = clock.now_us()
    await ledger.claim((), clock.now_ms())
    await ledger.write((e.CallerBegan(),), clock.now_ms())
    return clock.now_us() - started_us


async def measure(runs: int) -> tuple[list[int], list[int]]:
    """Return the floor's and the whole's microseconds."""
    clock = Clock()
    floors: list[int] = []
    wholes: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        journal = connect(f"sqlite:///{path}", ttl_ms=600_000)
        await journal.start()
        voice_activity()  # the server loads its models at start, too
        for run in range(runs):
            for name, sink in (("floor", floors), ("whole", wholes)):
                call_sid = f"CA{name}{run}"
                await prepared(journal, call_sid, clock)
                if sink is floors:
                    sink.append(await floor_us(journal, call_sid, clock))
                    continue
                switchboard = Switchboard(means(journal, clock))
                sink.append(await resumed_us(switchboard, call_sid, clock))
                await switchboard.close()
        await journal.close()
    return floors, wholes


def row(name: str, taken_us: list[int], against: float) -> str:
    """Return one line of the table."""
    ordered = sorted(taken_us)
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    median = statistics.median(ordered)
    return (
        f"{name:34} {median / 1000:8.2f} {p99 / 1000:8.2f} {ordered[-1] / 1000:8.2f}"
        f" {median / against:8.2f}"
    )


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    floors, wholes = asyncio.run(measure(runs))
    base = statistics.median(floors)
    lines = [
        f"resume of a call with {RECORDS} records, SQLite file, {runs} runs",
        f"{'':34} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8} {'ratio':>8}",
        row("claim + fold + append (the floor)", floors, base),
        row("start received to first frame", wholes, base),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
