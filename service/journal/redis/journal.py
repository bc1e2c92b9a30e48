"""The fleet's journal: one Redis (7.0 on) or Valkey server, shared by any number of machines.

    stayline:{CA…}           hash: incarnation, fence, head, lease, snapshot, the keys of appends
    stayline:{CA…}:records   list: the record of position n is element n - 1
    stayline:{CA…}:tokens    hash: spent stream tokens
    stayline:calls           sorted set: every call, by the time it expires at the latest known

1.  Every write of a call is one Lua script on keys of one hash slot: fence, position, key and write are
    one step.
2.  Every key has a time to live. The server forgets a call by itself; `sweep` only tidies the list.
3.  A call is in the list before it is there, and is taken out after it is gone. The list may name calls
    that are not there, never the reverse.
4.  An acknowledgement is worth what the server's settings make it: see server.py.
"""

import secrets
from collections.abc import AsyncGenerator, Sequence
from itertools import repeat

from service.errors import StoreUnavailable
from service.journal.limits import (
    PAGE_RECORDS,
    TOKEN_TTL_MS,
    TOKENS_MAX,
    check_append,
    check_bodies,
    check_names,
    check_snapshot,
    check_times,
    is_name,
    position_within,
)
from service.journal.redis.belfry import Belfry
from service.journal.redis.pump import Pump
from service.journal.redis.rows import (
    CALL_FIELDS,
    HEADLINE_FIELDS,
    by_age,
    headline_from,
    lease_from,
    outcome_from,
    packed,
    reading_from,
    records_past_snapshot,
)
from service.journal.redis.scripts import CALL_KEY, Command, call_script, script
from service.journal.redis.server import RedisServer
from service.journal.tailing import Bells, Page, follow
from service.journal.tokens import REASONS
from service.journal.values import (
    RECORDS_MAX,
    Claim,
    Durability,
    Gone,
    Headline,
    Missing,
    Outcome,
    Reading,
    Record,
    Reset,
    Spent,
    Unspendable,
)

CALLS_KEY = "stayline:calls"
RECHECK_MS = 2_000  # how late a tail may hear of a call that expired, or of a ring that got lost
READ_PIPELINE_MAX = 8  # long calls read at once, so that parsing them does not hold up the loop
CLAIM_TRIES = 3  # a call erased between its claim and the reading is claimed anew this often
SWEEP_MAX = 256  # calls looked at in one pipeline; the next one takes the rest
PULSE_TTL_MS = 60_000  # of the key that `check` leaves behind


class RedisJournal:
    """Keeps Journal's promise in the server at `url`. Raises ConfigError for a URL that means none."""

    def __init__(self, url: str, *, ttl_ms: int) -> None:
        self._server = RedisServer(url)
        self._ttl_ms = ttl_ms
        self._bells = Bells()
        self._belfry = Belfry(self._server, self._bells)
        self._writing = Pump(self._server)
        self._reading = Pump(self._server, pipeline_max=READ_PIPELINE_MAX)
        self._pulse_key = f"stayline:pulse:{secrets.token_hex(8)}"

    async def start(self) -> None:
        """See Journal.start. After a failure the journal may be started, or simply used, again."""
        self._writing.start()
        self._reading.start()
        self._belfry.start()
        await self._writing.run(("PING",))

    async def close(self) -> None:
        """See Journal.close. Tails that still run end with StoreUnavailable."""
        await self._belfry.close()
        await self._reading.close()
        await self._writing.close()
        self._bells.ring_all()

    async def check(self, *, now_ms: int) -> Durability:
        """See Journal.check."""
        check_times(now_ms)
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
        answers = await self._writing.run(*self._listed(call_sid, now_ms), run)
        return headline_from(call_sid, answers[-1])

    async def claim(
        self, call_sid: str, opening: Sequence[bytes], *, owner: str, until_ms: int, now_ms: int
    ) -> Claim:
        """See Journal.claim."""
        check_names(call_sid, owner)
        check_bodies(opening)
        check_times(until_ms, now_ms)
        elements = packed(opening, epoch=0, at_ms=now_ms)
        for _ in range(CLAIM_TRIES):
            run = self._script("claim", call_sid, now_ms, owner, until_ms, *elements)
            answers = await self._writing.run(*self._listed(call_sid, now_ms), run)
            epoch, incarnation, is_new, position, *lease = answers[-1]
            reading = await self._read(call_sid, after=int(position or 0))
            if isinstance(reading, Reading) and reading.incarnation == incarnation.decode():
                return Claim(
                    epoch,
                    reading.incarnation,
                    bool(is_new),
                    reading.snapshot,
                    records_past_snapshot(reading),
                    lease_from(*lease),
                )
        raise StoreUnavailable("The call was erased again and again while it was claimed.")

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
        run = self._script(
            "append",
            call_sid,
            now_ms,
            "" if epoch is None else epoch,
            "" if after is None else after,
            key,
            RECORDS_MAX,
            *packed(bodies, epoch=epoch or 0, at_ms=now_ms),
        )
        (answer,) = await self._writing.run(run)
        return outcome_from(answer, self._server.durability)

    async def read(self, call_sid: str, *, after: int = 0) -> Reading | Missing:
        """See Journal.read."""
        if not is_name(call_sid):
            return Missing()
        return await self._read(call_sid, after=position_within(after))

    def tail(
        self, call_sid: str, *, incarnation: str | None, after: int
    ) -> AsyncGenerator[Record | Reset | Gone, None]:
        """See Journal.tail."""
        return follow(
            self._bells,
            self._read_page,
            call_sid,
            incarnation=incarnation,
            after=after,
            recheck_ms=RECHECK_MS,
        )

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
        answers = await self._writing.run(*self._listed(call_sid, now_ms), run)
        return bool(answers[-1])

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

    async def open_calls(self) -> tuple[Headline, ...]:
        """See Journal.open_calls."""
        (members,) = await self._reading.run(("ZRANGE", CALLS_KEY, 0, -1))
        found: list[tuple[int, Headline]] = []
        for first in range(0, len(members), SWEEP_MAX):
            call_sids = [member.decode() for member in members[first : first + SWEEP_MAX]]
            rows = await self._reading.run(
                *(("HMGET", CALL_KEY % sid, *HEADLINE_FIELDS, "opened") for sid in call_sids)
            )
            found += [
                (int(opened_ms), headline_from(call_sid, row))
                for call_sid, (*row, opened_ms) in zip(call_sids, rows, strict=True)
                if opened_ms is not None
            ]
        return tuple(headline for _, headline in sorted(found, key=by_age))

    async def erase(self, call_sid: str) -> bool:
        """See Journal.erase."""
        if not is_name(call_sid):
            return False
        run = self._script("erase", call_sid, 0)
        erased, _ = await self._writing.run(run, ("ZREM", CALLS_KEY, call_sid))
        return bool(erased)

    async def sweep(self, *, now_ms: int) -> int:
        """See Journal.sweep. Calls that the server forgot by itself count when they leave the list."""
        check_times(now_ms)
        swept = 0
        while True:
            due = ("ZRANGE", CALLS_KEY, "-inf", now_ms, "BYSCORE", "LIMIT", 0, SWEEP_MAX)
            (members,) = await self._reading.run(due)
            if not members:
                return swept
            expiries = await self._writing.run(
                *(self._script("sweep", member.decode(), now_ms) for member in members)
            )
            tidied = map(_tidied, members, expiries, repeat(now_ms))
            swept += sum(await self._writing.run(*tidied))

    def _script(self, name: str, call_sid: str, now_ms: int, *words: str | bytes | int) -> Command:
        return call_script(name, call_sid, *words, ttl_ms=self._ttl_ms, now_ms=now_ms)

    def _listed(self, call_sid: str, now_ms: int) -> tuple[Command, Command]:
        """Return what puts a call into the list."""
        # The list outlives every call in it: appends prolong a call without touching the list.
        return (
            ("ZADD", CALLS_KEY, "GT", now_ms + self._ttl_ms, call_sid),
            ("PEXPIRE", CALLS_KEY, 2 * self._ttl_ms),
        )

    async def _read(self, call_sid: str, *, after: int, last: int = -1) -> Reading | Missing:
        call = CALL_KEY % call_sid
        answers = await self._reading.run(
            ("MULTI",),
            ("HMGET", call, *CALL_FIELDS),
            ("LRANGE", f"{call}:records", after, last),
            ("LLEN", f"{call}:records"),
            ("EXEC",),
        )
        fields, elements, length = answers[-1]
        return reading_from(fields, elements, length, after=after)

    async def _read_page(self, call_sid: str, after: int) -> Page | None:
        if not is_name(call_sid):
            return None
        reading = await self._read(call_sid, after=after, last=after + PAGE_RECORDS - 1)
        if isinstance(reading, Missing):
            return None
        return Page(reading.incarnation, reading.head, reading.records)


def _tidied(member: bytes, expires_ms: bytes | None, now_ms: int) -> Command:
    """Return what corrects the list about a call that was swept, or lives until `expires_ms`."""
    if expires_ms is None:
        return script("unlist", CALLS_KEY, now_ms, member)
    return ("ZADD", CALLS_KEY, "XX", expires_ms, member)
