"""What it costs to look after calls: to take one that is known, to hold it, to find those that lapsed."""

import asyncio
from typing import NamedTuple

from service.journal.journal import Journal
from service.journal.values import Claim, Headline, Known
from tests.bench._timing import Times, clock, timed

CLAIMS = 20
CALLS = 10_000
AT_ONCE = 500
LAPSED = 20  # of CALLS
HELD_MS = 600_000
HEADINGS = (
    "store",
    "claim of 10,000 with `known`, ms",
    "without, ms",
    "lease p50 / p99 us",
    "adopt p50 us",
    "release p50 us",
    "remember / recall p50 us",
    "lapsed of 10,000 calls: 0, 20, all told of 100, ms",
)


class Duties(NamedTuple):
    """What one backend took."""

    name: str
    known: Times
    unknown: Times
    lease: Times
    adopt: Times
    release: Times
    remember: Times
    recall: Times
    lapsed: tuple[Times, ...]

    def cells(self) -> tuple[str, ...]:
        return (
            self.name,
            self.known.ms(),
            self.unknown.ms(),
            f"{self.lease.at(50)} / {self.lease.at(99)}",
            f"{self.adopt.at(50)}",
            f"{self.release.at(50)}",
            f"{self.remember.at(50)} / {self.recall.at(50)}",
            ", ".join(times.ms() for times in self.lapsed),
        )


async def take(
    journal: Journal, call_sid: str, *, held_ms: int = HELD_MS, known: Known | None = None
) -> Claim:
    now_ms = clock.now_ms()
    taken = await journal.claim(
        call_sid, [], owner="bench", until_ms=now_ms + held_ms, now_ms=now_ms, known=known
    )
    assert isinstance(taken, Claim)
    return taken


async def measure_duties(name: str, journal: Journal, long_call: str, count: int) -> Duties:
    """Measure on a journal that holds `long_call`, without a snapshot, and nothing else."""
    unknown = await timed(CLAIMS, lambda _: take(journal, long_call))
    taken = await take(journal, long_call)
    head = taken.records[-1].position
    known = Known(taken.incarnation, head - 50)
    told = await take(journal, long_call, known=known)
    assert (told.since, len(told.records)) == (head - 50, 50)
    knowing = await timed(CLAIMS, lambda _: take(journal, long_call, known=known))
    held = await take(journal, "CA-held")

    async def lease(_: int) -> None:
        now_ms = clock.now_ms()
        assert await journal.lease(
            "CA-held", epoch=held.epoch, owner="bench", until_ms=now_ms + HELD_MS, now_ms=now_ms
        )

    leased = await timed(count, lease)
    remembered = await timed(
        count,
        lambda n: journal.remember(
            f"from:{n % 100}", "CA-held", ttl_ms=HELD_MS, now_ms=clock.now_ms()
        ),
    )
    recalled = await timed(
        count, lambda n: journal.recall(f"from:{n % 100}", now_ms=clock.now_ms())
    )
    return Duties(
        name, knowing, unknown, leased, *await _adopted(journal, count), remembered, recalled,
        await _lapsed(journal),
    )  # fmt: skip


async def _adopted(journal: Journal, count: int) -> tuple[Times, Times]:
    """Adopt, and then release, calls whose lease was over as soon as it began."""
    for n in range(count):
        await take(journal, f"CA-over-{n}", held_ms=0)
    found = await _found(journal, count)

    async def adopt(n: int) -> None:
        now_ms = clock.now_ms()
        assert await journal.adopt(
            found[n].call_sid,
            lapsed=found[n].lease,
            owner="another",
            until_ms=now_ms + HELD_MS,
            now_ms=now_ms,
        )

    adopted = await timed(len(found), adopt)
    released = await timed(
        len(found), lambda n: journal.release(found[n].call_sid, epoch=found[n].epoch)
    )
    return adopted, released


async def _lapsed(journal: Journal) -> tuple[Times, ...]:
    """Ask for lapsed calls among CALLS: when there are none, a few, and nothing but such."""
    await _claim_all(journal, range(CALLS), held_ms=HELD_MS)
    none = await timed(CLAIMS, lambda _: _found(journal, 100))
    await _claim_all(journal, range(LAPSED), held_ms=0)
    assert len(await _found(journal, 100)) == LAPSED
    few = await timed(CLAIMS, lambda _: _found(journal, 100))
    await _claim_all(journal, range(CALLS), held_ms=0)
    assert len(await _found(journal, 100)) == 100
    return none, few, await timed(CLAIMS, lambda _: _found(journal, 100))


async def _claim_all(journal: Journal, numbers: range, *, held_ms: int) -> None:
    for first in range(0, len(numbers), AT_ONCE):
        part = numbers[first : first + AT_ONCE]
        await asyncio.gather(*(take(journal, f"CA-live-{n}", held_ms=held_ms) for n in part))


async def _found(journal: Journal, limit: int) -> tuple[Headline, ...]:
    return await journal.lapsed(now_ms=clock.now_ms(), limit=limit)
