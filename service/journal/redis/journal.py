"""The fleet's journal: one Redis (7.0 on) or Valkey server, shared by any number of machines.

    stayline:{CA…}           hash: incarnation, fence, head, lease, snapshot, the keys of appends
    stayline:{CA…}:records   list: the record of position n is element n - 1
    stayline:{CA…}:tokens    hash: spent stream tokens
    stayline:{CA…}:names     set: the names that mean this call, or meant it
    stayline:calls           sorted set: every call, by the time it expires at the latest known
    stayline:leases          sorted set: every call that may have to be looked after, by since when
    stayline:name:…          string: until when a name means which call

1.  Every write of a call is one Lua script on keys of one hash slot: fence, position, key and write are
    one step.
2.  Every key has a time to live. The server forgets a call by itself; `sweep` only tidies the list.
3.  What is in a list is looked up before it is believed: see roll.py.
4.  An acknowledgement is worth what the server's settings make it: see server.py.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Sequence

from service.errors import StoreUnavailable
from service.journal.limits import (
    TOKEN_TTL_MS,
    TOKENS_MAX,
    UNCLAIMED_MS,
    check_append,
    check_bodies,
    check_names,
    check_snapshot,
    check_span,
    check_times,
    is_name,
    position_within,
    within_limit,
)
from service.journal.redis.belfry import Belfry
from service.journal.redis.names import asking, asking_names, forgetting, meant, naming
from service.journal.redis.pump import Unreplicated
from service.journal.redis.readings import Readings
from service.journal.redis.roll import Listing, Roll
from service.journal.redis.routes import Routes
from service.journal.redis.rows import (
    claim_from,
    headline_from,
    is_of,
    lease_words,
    outcome_from,
    packed,
)
from service.journal.redis.scripts import Command, call_script
from service.journal.tailing import Bells
from service.journal.tokens import REASONS
from service.journal.values import (
    BOUNDS,
    Claim,
    Durability,
    Ear,
    Fenced,
    Gone,
    Headline,
    Known,
    Lease,
    Missing,
    Outcome,
    Reading,
    Record,
    Reset,
    Spent,
    Unspendable,
)

CLAIM_TRIES = 3  # a claim that was erased, rolled back, or not confirmed is made this often in all
CLAIM_WAITS = 2  # for replicas, each time: so that a claim fails within about a second
PULSE_TTL_MS = 60_000  # of the key that `check` leaves behind


class RedisJournal(Listing):
    """Keeps Journal's promise in the server at `url`. Raises ConfigError for a URL that means none."""

    def __init__(self, url: str, *, ttl_ms: int, replicas: int | None = None) -> None:
        self._routes = Routes(url, replicas=replicas)
        self._server = self._routes.server
        self._ttl_ms = ttl_ms
        self._bells = Bells()
        self._belfry = Belfry(self._server, self._bells)
        self._writing = self._routes.writing
        self._reading = self._routes.reading
        self._readings = Readings(self._reading, self._bells)
        self._roll = Roll(self._writing, self._reading, ttl_ms=ttl_ms)
        self._pulse_key = f"stayline:pulse:{secrets.token_hex(8)}"

    async def start(self) -> None:
        """See Journal.start. After a failure the journal may be started, or simply used, again."""
        self._routes.start()
        self._belfry.start()
        await self._writing.run(("PING",))

    async def close(self) -> None:
        """See Journal.close. Tails that still run end with StoreUnavailable."""
        await self._belfry.close()
        await self._routes.close()
        self._bells.ring_all()

    async def time_ms(self) -> int:
        """Return what the server's own clock says (of a Cluster, one node's). Raises StoreUnavailable."""
        seconds, micros = (await self._reading.run(("TIME",)))[0]
        return int(seconds) * 1000 + int(micros) // 1000

    async def check(self, *, now_ms: int) -> Durability:
        """See Journal.check."""
        check_times(now_ms)
        await self._writing.run(("PING",))  # of a Cluster, every node
        _, kept = await self._writing.run(
            ("SET", self._pulse_key, now_ms, "PX", PULSE_TTL_MS), ("GET", self._pulse_key)
        )
        if kept != b"%d" % now_ms:
            raise StoreUnavailable(f"Redis at {self._server.place} does not keep what is written.")
        return self._server.durability

    async def open(self, call_sid: str, opening: Sequence[bytes], *, now_ms: int) -> Headline:
        """See Journal.open."""
        check_names(call_sid)
        check_bodies(opening)
        check_times(now_ms)
        run = self._script("open", call_sid, now_ms, *packed(opening, epoch=0, at_ms=now_ms))
        listed = self._roll.entered(call_sid, now_ms, due_ms=now_ms + UNCLAIMED_MS)
        answers = await self._writing.run(*listed, run)
        return headline_from(call_sid, answers[-1])

    async def claim(
        self,
        call_sid: str,
        opening: Sequence[bytes],
        *,
        owner: str,
        until_ms: int,
        now_ms: int,
        known: Known | None = None,
        expected: int | None = None,
    ) -> Claim | Fenced:
        """See Journal.claim."""
        check_names(call_sid, owner)
        check_bodies(opening)
        check_times(until_ms, now_ms, expected or 0)
        words = (owner, until_ms, "" if expected is None else expected, secrets.token_hex(8))
        elements = packed(opening, epoch=0, at_ms=now_ms)
        listed = self._roll.entered(call_sid, now_ms, due_ms=until_ms)
        run = self._script("claim", call_sid, now_ms, *words, *elements)
        for _ in range(CLAIM_TRIES):
            try:
                answers = await self._writing.run(*listed, run, waits=CLAIM_WAITS)
            except Unreplicated:
                continue
            epoch, *taken = answers[-1]
            if not taken:
                return Fenced(epoch)
            told, _ = await asyncio.gather(
                self._readings.read_claimed(call_sid, taken, known=known),
                self._roll.put_off(call_sid, until_ms),
            )
            reading, since = told
            if isinstance(reading, Reading) and is_of(reading, epoch, taken):
                return claim_from(epoch, taken, reading, since)
        raise StoreUnavailable("The claim was lost again, or replicas did not confirm it.")

    async def append(
        self,
        call_sid: str,
        bodies: Sequence[bytes],
        *,
        epoch: int | None,
        after: int | None,
        key: str,
        now_ms: int,
    ) -> Outcome:
        """See Journal.append. When cancelled it may or may not be written: repeat it with its key."""
        check_names(call_sid, key)
        check_append(bodies, epoch=epoch, after=after)
        check_times(now_ms)
        place = ("" if epoch is None else epoch, "" if after is None else after)
        elements = packed(bodies, epoch=epoch or 0, at_ms=now_ms)
        run = self._script("append", call_sid, now_ms, *place, key, *BOUNDS, *elements)
        try:
            (answer,) = await self._writing.run(run, waits=1)
        except Unreplicated as late:
            return outcome_from(late.answers[-1], self._server.durability, is_kept=False)
        return outcome_from(answer, self._server.durability)

    async def read(self, call_sid: str, *, after: int = 0) -> Reading | Missing:
        """See Journal.read."""
        if not is_name(call_sid):
            return Missing()
        return await self._readings.read(call_sid, after=position_within(after))

    def tail(
        self, call_sid: str, *, incarnation: str | None, after: int
    ) -> AsyncGenerator[Record | Reset | Gone, None]:
        """See Journal.tail."""
        return self._readings.tail(call_sid, incarnation=incarnation, after=after)

    def listen(self, call_sid: str, ear: Ear) -> Callable[[], None]:
        """See Journal.listen."""
        return self._bells.listen(call_sid, ear)

    async def snapshot(self, call_sid: str, *, epoch: int, position: int, body: bytes) -> bool:
        """See Journal.snapshot."""
        check_names(call_sid)
        check_snapshot(epoch=epoch, position=position, body=body)
        run = self._script("snapshot", call_sid, 0, epoch, position, body)
        (answer,) = await self._writing.run(run)
        return bool(answer)

    async def lease(
        self, call_sid: str, *, epoch: int, owner: str, until_ms: int, now_ms: int
    ) -> bool:
        """See Journal.lease."""
        check_names(call_sid, owner)
        check_times(epoch, until_ms, now_ms)
        run = self._script("lease", call_sid, now_ms, epoch, owner, until_ms)
        answers = await self._writing.run(*self._roll.entered(call_sid, now_ms), run)
        if answers[-1]:
            await self._roll.put_off(call_sid, until_ms)
        return bool(answers[-1])

    async def adopt(
        self, call_sid: str, *, lapsed: Lease | None, owner: str, until_ms: int, now_ms: int
    ) -> bool:
        """See Journal.adopt."""
        check_names(call_sid, owner)
        check_times(until_ms, now_ms)
        words = (*lease_words(lapsed), UNCLAIMED_MS, owner, until_ms)
        (answer,) = await self._writing.run(self._script("adopt", call_sid, now_ms, *words))
        if answer:
            await self._roll.put_off(call_sid, until_ms)
        return bool(answer)

    async def release(self, call_sid: str, *, epoch: int) -> bool:
        """See Journal.release."""
        check_names(call_sid)
        check_times(epoch)
        (until_ms,) = await self._writing.run(self._script("release", call_sid, 0, epoch))
        if until_ms is not None:
            await self._roll.drop(call_sid, int(until_ms))
        return until_ms is not None

    async def lapsed(self, *, now_ms: int, limit: int) -> tuple[Headline, ...]:
        """See Journal.lapsed."""
        check_times(now_ms)
        return await self._roll.lapsed(now_ms=now_ms, limit=within_limit(limit))

    async def remember(self, name: str, call_sid: str, *, ttl_ms: int, now_ms: int) -> None:
        """See Journal.remember."""
        check_names(name, call_sid)
        check_times(now_ms)
        check_span(ttl_ms)
        await self._writing.run(*naming(name, call_sid, ttl_ms=ttl_ms, now_ms=now_ms))

    async def recall(self, name: str, *, now_ms: int) -> str | None:
        """See Journal.recall."""
        check_times(now_ms)
        if not is_name(name):
            return None
        return meant(*await self._reading.run(asking(name)), now_ms=now_ms)

    async def spend(
        self,
        call_sid: str,
        nonce: str,
        *,
        stream_sid: str,
        window_ms: int,
        uses_max: int,
        now_ms: int,
    ) -> Spent | Unspendable:
        """See Journal.spend."""
        check_names(call_sid, nonce, stream_sid)
        check_times(window_ms, uses_max, now_ms)
        words = (nonce, stream_sid, window_ms, uses_max, TOKENS_MAX, TOKEN_TTL_MS)
        (answer,) = await self._writing.run(self._script("spend", call_sid, now_ms, *words))
        return Spent(answer) if isinstance(answer, int) else Unspendable(REASONS[answer.decode()])

    async def erase(self, call_sid: str) -> bool:
        """See Journal.erase."""
        if not is_name(call_sid):
            return False
        (names,) = await self._reading.run(asking_names(call_sid))
        run = self._script("erase", call_sid, 0)
        erased, *forgotten = await self._writing.run(
            run, *forgetting(call_sid, names), *self._roll.struck(call_sid)
        )
        return bool(erased) or any(forgotten[: len(names)])

    async def sweep(self, *, now_ms: int) -> int:
        """See Journal.sweep. Calls that the server forgot by itself count when they leave the list."""
        check_times(now_ms)
        return await self._roll.sweep(now_ms=now_ms)

    def _script(self, name: str, call_sid: str, now_ms: int, *words: str | bytes | int) -> Command:
        return call_script(name, call_sid, *words, ttl_ms=self._ttl_ms, now_ms=now_ms)
