"""What is lost when a store's primary is cut off, or stands still, under calls that are being written.

    python -m tests.bench.failover [TIMES]

A town of real servers (1 primary, 2 replicas, 3 Sentinels; and a Cluster of 3 + 6) fails over TIMES
times (default 10) each. Owners append to their calls all the while, each with its key until it is
acknowledged; others take the calls over in the middle of it. A kill would prove nothing: the system
still delivers what was sent. So the primary is cut off from the other servers by proxies, sometimes
from its clients too, or it is stopped and woken as if nothing had been.

Exit code 1 when a rule is broken: nothing acknowledged is lost or doubled, no two owners were
acknowledged for one fence of a call, and writes are back within BACK_MS_MAX, or AFTER_SWITCH_MS_MAX after
the store has another primary if that alone takes as long.
"""

import asyncio
import itertools
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from redis.crc import key_slot

from service.clock import Clock
from service.errors import StoreUnavailable
from service.journal.journal import Journal
from service.journal.stores import connect
from service.journal.values import Appended, Claim, Fenced, NotDurable, Reading
from tests.standins.towns import ClusterTown, SentinelTown, wait_until
from tests.standins.valkey import Valkey

TIMES = 10
BACK_MS_MAX = 3_000
CALLS = 6  # that the failed primary holds
BYSTANDERS = 3  # calls of a Cluster that it does not hold
PACE_S = 0.01
AFTER_SWITCH_MS_MAX = 600  # when the store itself took longer to find another primary
OUTAGE_S = 1.5  # of the primary after another took its place
RUN_IN_S = 0.3
SETTLE_S = 0.5

# When it fails, and how: what clients see of it differs.
PHASES = (
    "mid append, cut off from servers",
    "before take-over, cut off from all",
    "after take-over, cut off from servers",
    "WAIT pending, cut off from servers",
    "mid append, stopped",
)
CLOCK = Clock()


@dataclass
class Log:
    """What was acknowledged, and which rules were broken."""

    acked: dict[str, dict[int, str]] = field(default_factory=dict)
    owners: dict[tuple[str, int], str] = field(default_factory=dict)
    writers: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    acked_at: dict[str, list[int]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def claimed(self, call: str, epoch: int, owner: str) -> None:
        before = self.owners.setdefault((call, epoch), owner)
        if before != owner:
            self.broken.append(f"{call}: {before} and {owner} both took fence {epoch}")

    def appended(self, call: str, epoch: int, owner: str, position: int, body: str) -> None:
        kept = self.acked.setdefault(call, {}).setdefault(position, body)
        if kept != body:
            self.broken.append(f"{call}: {position} was acknowledged for {kept} and {body}")
        self.writers.setdefault((call, epoch), set()).add(owner)
        if len(self.writers[call, epoch]) > 1:
            self.broken.append(f"{call}: two owners wrote with fence {epoch}")
        self.acked_at.setdefault(call, []).append(CLOCK.now_ms())
        self.counts["acked"] += 1


class Owner:
    """Takes a call and appends to it until it is fenced, or told to end."""

    def __init__(self, journal: Journal, call: str, name: str, log: Log) -> None:
        self._journal = journal
        self._call = call
        self._name = name
        self._log = log
        self._numbers = itertools.count()
        self.is_over = False

    async def take(self) -> Claim:
        """Claim the call, again and again until it is acknowledged."""
        while True:
            now_ms = CLOCK.now_ms()
            try:
                claim = await self._journal.claim(
                    self._call, [], owner=self._name, until_ms=now_ms, now_ms=now_ms
                )
            except StoreUnavailable:
                self._log.counts["refused"] += 1
                await asyncio.sleep(PACE_S)
                continue
            assert isinstance(claim, Claim)
            self._log.claimed(self._call, claim.epoch, self._name)
            return claim

    async def hold(self) -> None:
        """Take the call and write to it."""
        await self.write(await self.take())

    async def write(self, claim: Claim) -> None:
        """Append one record after the other, each until it is acknowledged."""
        head = len(claim.records)
        while not self.is_over:
            body = f"{self._name}/{next(self._numbers)}"
            written = await self._append(claim.epoch, head, body)
            if written is None:
                return
            self._log.appended(self._call, claim.epoch, self._name, written, body)
            head = written
            await asyncio.sleep(PACE_S)

    async def _append(self, epoch: int, head: int, body: str) -> int | None:
        while True:
            try:
                outcome = await self._journal.append(
                    self._call,
                    [body.encode()],
                    epoch=epoch,
                    after=head,
                    key=body,
                    now_ms=CLOCK.now_ms(),
                )
            except StoreUnavailable:
                self._log.counts["refused"] += 1
                await asyncio.sleep(PACE_S)
                continue
            match outcome:
                case Appended(position=position):
                    return position
                case NotDurable():
                    self._log.counts["not durable"] += 1
                case Fenced(epoch=newer):
                    self._log.counts["fenced"] += 1
                    if newer < epoch:
                        self._log.broken.append(f"{self._call}: fence {epoch} went back to {newer}")
                    return None
                case _:
                    self._log.broken.append(f"{self._call}: {outcome} to {body} after {head}")
                    return None


@dataclass
class Failover:
    """One failover of a town, in one phase, and what came of it."""

    town: SentinelTown | ClusterTown
    phase: str
    number: int
    log: Log = field(default_factory=Log)
    switched_ms: int = 0
    back_ms: int = 0
    stalled_ms: int = 0

    async def run(
        self, *, is_whole_after: bool = True, after_switch_ms_max: int = AFTER_SWITCH_MS_MAX
    ) -> None:
        """Fail the primary over under load, heal it, and look at what is kept."""
        victim, calls, bystanders = self._place()
        old, new = [connect(self.town.url, ttl_ms=1_800_000) for _ in range(2)]
        await old.start()
        await new.start()
        owners = [Owner(old, call, f"a{self.number}", self.log) for call in (*calls, *bystanders)]
        takers = [Owner(new, call, f"b{self.number}", self.log) for call in calls[::2]]
        async with asyncio.TaskGroup() as writing:
            for owner in owners:
                writing.create_task(owner.hold())
            await asyncio.sleep(RUN_IN_S)
            failed_ms = await self._fail_and_take(victim, takers, writing)
            await asyncio.to_thread(wait_until, lambda: self.town.is_over(victim))
            self.switched_ms = CLOCK.now_ms() - failed_ms
            await asyncio.sleep(OUTAGE_S)
            victim.wake()
            self.town.heal()
            if is_whole_after:
                await asyncio.to_thread(wait_until, self.town.is_whole)
            await asyncio.sleep(SETTLE_S)
            for owner in (*owners, *takers):
                owner.is_over = True
        self.back_ms = max(self._gap_ms(call, failed_ms) for call in calls)
        self.stalled_ms = max((self._gap_ms(call, failed_ms) for call in bystanders), default=0)
        if self.back_ms > max(BACK_MS_MAX, self.switched_ms + after_switch_ms_max):
            self.log.broken.append(f"writes were back only after {self.back_ms} ms")
        await self._compare(new)
        await old.close()
        await new.close()

    async def _fail_and_take(
        self, victim: Valkey, takers: list[Owner], writing: asyncio.TaskGroup
    ) -> int:
        """Let the primary fail before, while or after the calls are taken over; return when."""
        if self.phase.startswith("after take-over"):
            for taker in takers:
                writing.create_task(taker.write(await taker.take()))
            return await self._fail(victim)
        failed_ms = await self._fail(victim)
        if self.phase.startswith("mid"):
            await asyncio.sleep(RUN_IN_S)
        for taker in takers:
            writing.create_task(taker.hold())
        return failed_ms

    def _place(self) -> tuple[Valkey, list[str], list[str]]:
        """Return the primary that fails, calls that it holds, and calls that it does not hold."""
        names = [f"CA{self.number:04}{n:028}" for n in range(200)]
        if isinstance(self.town, SentinelTown):
            return self.town.primary(), names[:CALLS], []
        holders = {
            name: self.town.holder_of(key_slot(f"stayline:{{{name}}}".encode()))
            for name in names[: 6 * CALLS]
        }
        victim = holders[names[0]]
        held = [name for name, holder in holders.items() if holder is victim]
        others = [name for name, holder in holders.items() if holder is not victim]
        return victim, held[:CALLS], others[:BYSTANDERS]

    async def _fail(self, victim: Valkey) -> int:
        if self.phase.endswith("stopped"):
            victim.pause()
            return CLOCK.now_ms()
        others = [server for server in self.town.servers if server is not victim]
        if self.phase.startswith("WAIT"):
            for server in others:
                server.pause()
            await asyncio.sleep(4 * PACE_S)
        self.town.cut(victim, with_clients=self.phase.endswith("all"))
        for server in others:
            server.wake()
        return CLOCK.now_ms()

    def _gap_ms(self, call: str, failed_ms: int) -> int:
        """Return how long after the failure the call was written again, at the longest pause."""
        times = [failed_ms, *(at for at in self.log.acked_at.get(call, []) if at >= failed_ms)]
        if len(times) == 1:
            return 60_000
        return max(later - earlier for earlier, later in itertools.pairwise(times))

    async def _compare(self, journal: Journal) -> None:
        for call, acked in self.log.acked.items():
            reading = await _read(journal, call)
            bodies = [record.body.decode() for record in reading.records]
            stored = dict(enumerate(bodies, 1))
            lost = [position for position, body in acked.items() if stored.get(position) != body]
            self.log.counts["lost"] += len(lost)
            self.log.counts["doubled"] += len(bodies) - len(set(bodies))
        for word in ("lost", "doubled"):
            if self.log.counts[word]:
                self.log.broken.append(f"{self.log.counts[word]} records {word}")


async def _read(journal: Journal, call: str) -> Reading:
    while True:
        try:
            reading = await journal.read(call)
        except StoreUnavailable:
            await asyncio.sleep(PACE_S)
            continue
        assert isinstance(reading, Reading)
        return reading


def row(kind: str, number: int, failover: Failover) -> str:
    """Return a line of the table."""
    counts = failover.log.counts
    return (
        f"| {kind} | {number} | {failover.phase} | {counts['acked']} | {counts['lost']} "
        f"| {counts['doubled']} | {counts['not durable']} | {counts['refused']} "
        f"| {counts['fenced']} | {failover.switched_ms} | {failover.back_ms} | {failover.stalled_ms} |\n"
    )


HEAD = (
    "| town | no. | phase | acked | lost | doubled | not durable | refused | fenced | switched ms | back ms | "
    "others ms |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n"
)


async def main(times: int) -> int:
    """Return 1 when a rule was broken."""
    sys.stdout.write(HEAD)
    broken: list[str] = []
    for kind in (SentinelTown, ClusterTown):
        with tempfile.TemporaryDirectory() as name, kind(Path(name), is_cuttable=True) as town:
            for number, phase in zip(range(times), itertools.cycle(PHASES), strict=False):
                failover = Failover(town, phase, number)
                await failover.run()
                sys.stdout.write(row(kind.__name__.removesuffix("Town"), number, failover))
                sys.stdout.flush()
                broken += failover.log.broken
    sys.stdout.write("".join(f"broken: {each}\n" for each in broken) or "no rule was broken\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else TIMES)))
