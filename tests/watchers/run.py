"""The run: who writes, who watches, who cuts, and how it is judged."""

import asyncio
import random
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from service.call import events as e
from service.chaos.report import Report
from service.chaos.waiting import until
from service.journal.stores import connect
from service.journal.values import Reading
from service.simulator.account import new_sid
from tests.fleet.ground import BEARER, Ground
from tests.watchers.judging import judge, summed
from tests.watchers.listening import Heard, Listening
from tests.watchers.stuck import let_go, sticking
from tests.watchers.watcher import Watcher
from tests.watchers.writer import TTL_MS

OPENING = 1  # record, of each call, before they flow
POLLS = 0.2  # of all connections: the way for those whose streams are blocked
SENTENCES = 130  # four seconds each, and no longer than an agent may speak at once
CAUGHT_UP_S_MAX = 120.0
STUCK_KIB_MAX = 1_024
FREED_MS_MAX = 6_000
IN_HAND_MS_MIN = 500  # of the two seconds that the carrier has to play: far from silence


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The size of a run. `slack` multiplies the limits that only a calm machine keeps; 0: none is held."""

    watchers: int = 50
    reconnects: int = 1_000
    records: int = 100_000
    calls: int = 25
    seconds: int = 100
    calm_s: int = 10
    stuck: int = 10
    seed: int = 1
    slack: int = 1


async def run(options: Options) -> Report:
    """Watch calls while their records flow, beside a caller who is spoken to."""
    report = Report("watchers", **msgspec.to_builtins(options))
    chance = random.Random(options.seed)
    calls = [new_sid("CA") for _ in range(options.calls)]
    with tempfile.TemporaryDirectory() as scratch:
        folder, story = Path(scratch), str(SENTENCES)
        url = f"sqlite:///{folder / 'stayline.db'}"
        async with (
            Ground(folder, store="sqlite", servers=1, FLEET_STORY=story) as ground,
            writing(url, options, calls) as writer,
        ):
            listening = Listening((await ground.crowd.gather(1))[0])
            await asyncio.sleep(options.calm_s)
            calm, server = listening.taken(), ground.servers[0]
            watchers = [
                Watcher(server.port, calls[number % len(calls)], BEARER, chance)
                for number in range(options.watchers)
            ]
            used_ms = server.cpu_ms()
            # Some are stuck all the while, too; what they cost is measured when nothing else grows.
            async with sticking(server.port, calls, options.stuck):
                head = await flow(options, watchers, writer, chance)
            beside, used_ms = listening.taken(), server.cpu_ms() - used_ms
            freed_ms, grown_kib = await let_go(server, calls, options.stuck)
            truth = await held(url, calls)
            report.count("streams of the caller beside that ended", listening.streams - 1)
    judged(report, options, watchers, truth, head)
    records = sum(len(one.seen) for one in watchers)
    report.count("processor time a record told, us", used_ms * 1_000 // records, at_most=None)
    freed(report, options, freed_ms, grown_kib)
    punctual(report, options, calm, beside)
    return report


@asynccontextmanager
async def writing(url: str, options: Options, calls: list[str]) -> AsyncIterator[Process]:
    """Have a second process at the store, which has opened the calls and waits for the word."""
    numbers = [str(one) for one in (options.records, options.seconds, options.seed)]
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.watchers.writer", url, *numbers, *calls,
        stdin=PIPE, stdout=PIPE,
    )  # fmt: skip
    assert writer.stdout is not None
    try:
        assert await writer.stdout.readline() == b"open\n", "the writer can't open the calls"
        yield writer
    finally:
        if writer.returncode is None:
            writer.kill()
            await writer.wait()


async def flow(
    options: Options, watchers: list[Watcher], writer: Process, chance: random.Random
) -> int:
    """Let the records flow while watchers lose their connections. Returns how far each call's go."""
    following = [asyncio.create_task(one.follow(polls=POLLS)) for one in watchers]
    cutting = asyncio.create_task(cut(options, watchers, chance))
    assert writer.stdin is not None
    writer.stdin.write(b"\n")
    code = await writer.wait()
    await cutting
    assert not code, f"the writer ended with {code}"
    # Reading the journal here would hold this loop up, and what the caller beside hears with it.
    head = OPENING + options.records // options.calls

    def is_over() -> bool:
        has_all = all(one.position >= head for one in watchers)
        return has_all or any(one.done() for one in following)  # which says what failed, below

    await until(is_over, within_s=CAUGHT_UP_S_MAX)
    for one in watchers:
        one.close()
    await asyncio.gather(*following)
    return head


async def cut(options: Options, watchers: list[Watcher], chance: random.Random) -> None:
    """Cut connections at random, as many as are wanted, while the records flow."""
    left = options.reconnects
    while left:
        await asyncio.sleep(chance.random() * 2 * options.seconds / options.reconnects)
        left -= chance.choice(watchers).cut()


async def held(url: str, calls: list[str]) -> dict[str, list[str]]:
    """Return the texts of all records of these calls, from the store itself."""
    journal = connect(url, ttl_ms=TTL_MS)
    await journal.start()
    try:
        readings = [await journal.read(sid) for sid in calls]
    finally:
        await journal.close()
    return {
        sid: [getattr(e.decode(one.body), "text", "") for one in reading.records]
        for sid, reading in zip(calls, readings, strict=True)
        if isinstance(reading, Reading)
    }


def judged(
    report: Report,
    options: Options,
    watchers: list[Watcher],
    truth: dict[str, list[str]],
    head: int,
) -> None:
    """Report what the watchers were told."""
    found = summed([judge(one.seen, truth[one.call_sid], head) for one in watchers])
    report.count("records in the journal", sum(map(len, truth.values())), at_least=options.records)
    report.count("records told", sum(len(one.seen) for one in watchers), at_most=None)
    report.count("connections cut", sum(one.cuts for one in watchers), at_least=options.reconnects)
    report.count("gaps", found.gaps)
    report.count("duplicates", found.duplicates)
    report.count("misorder", found.misorder)
    report.count("records with other words", found.wrong)
    report.count("told to ask again (503)", sum(one.put_off for one in watchers), at_most=None)
    report.count("resets", sum(one.resets for one in watchers))
    report.count("failures", [each for one in watchers for each in one.failures])


def freed(report: Report, options: Options, freed_ms: list[int], grown_kib: int) -> None:
    """Report what watchers that never read cost, and how soon they were let go."""
    each_kib = grown_kib // max(1, options.stuck)
    report.count("a stuck watcher, KiB", each_kib, at_most=STUCK_KIB_MAX)
    report.spread("stuck watchers: until let go", freed_ms, worst_max=options.slack * FREED_MS_MAX)
    report.count("stuck watchers never let go", options.stuck - len(freed_ms))


def punctual(report: Report, options: Options, calm: Heard, beside: Heard) -> None:
    """Report whether the caller beside could hear of it: speech in hand that never runs out has no holes."""
    least_ms = IN_HAND_MS_MIN if options.slack else 0
    report.spread("between frames, nobody watching", calm.between_ms)
    report.spread("between frames, all watching", beside.between_ms)
    report.count("in hand at least, nobody watching, ms", calm.in_hand_ms, at_most=None)
    report.count(
        "in hand at least, all watching, ms", beside.in_hand_ms, at_most=None, at_least=least_ms
    )
