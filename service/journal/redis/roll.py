"""The rolls of a Redis: which calls there are, and which may have to be looked after.

A roll is a sorted set in a slot of its own, so it can't change in one step with a call. Instead:

1.  A call is entered before it is there, and taken out after it is gone. A roll may name calls that are
    not there, never the reverse.
2.  A call's time in `stayline:leases` is no later than when its hold is over. Before a claim it is only
    ever lowered, and it is put off when the claim or the renewal is known to have succeeded.
3.  Whatever a roll says is looked up in the call itself, and corrected in passing.
"""

from itertools import repeat

from service.journal.limits import OVER_MAX, UNCLAIMED_MS, is_name
from service.journal.redis.names import asking_names, forgetting
from service.journal.redis.pump import Pumps
from service.journal.redis.rows import HEADLINE_FIELDS, by_age, headline_from
from service.journal.redis.scripts import CALL_KEY, Command, call_script, script
from service.journal.redis.server import Answer
from service.journal.values import Headline, Room

CALLS_KEY = "stayline:calls"
LEASES_KEY = "stayline:leases"
RECORD_BYTES = 128  # that a record takes beside its body: its place, and the key of its append
PAGE_CALLS = 256  # calls looked at in one pipeline; the next one takes the rest


class Roll:
    """The rolls that `writing` and `reading` lead to, of calls that live `ttl_ms`."""

    def __init__(self, writing: Pumps, reading: Pumps, *, ttl_ms: int) -> None:
        self._writing = writing
        self._reading = reading
        self._ttl_ms = ttl_ms

    def entered(self, call_sid: str, now_ms: int, *, due_ms: int | None = None) -> list[Command]:
        """Return what must be run before a write after which the call is there, and due then."""
        # A roll outlives every call in it: appends prolong a call without touching the rolls.
        lives = 2 * self._ttl_ms
        commands: list[Command] = [
            ("ZADD", CALLS_KEY, "GT", now_ms + self._ttl_ms, call_sid),
            ("PEXPIRE", CALLS_KEY, lives),
        ]
        if due_ms is not None:
            commands += [
                ("ZADD", LEASES_KEY, "LT", due_ms, call_sid),
                ("PEXPIRE", LEASES_KEY, lives),
            ]
        return commands

    def struck(self, call_sid: str) -> tuple[Command, Command]:
        """Return what takes a call that was erased out of the rolls."""
        return ("ZREM", CALLS_KEY, call_sid), ("ZREM", LEASES_KEY, call_sid)

    async def put_off(self, call_sid: str, due_ms: int) -> None:
        """Note that the call is held until `due_ms`."""
        await self._writing.run(
            ("ZADD", LEASES_KEY, due_ms, call_sid), ("PEXPIRE", LEASES_KEY, 2 * self._ttl_ms)
        )

    async def drop(self, call_sid: str, due_ms: int) -> None:
        """Note that nobody need look after the call, unless it was held past `due_ms` meanwhile."""
        await self._writing.run(script("unlist", LEASES_KEY, due_ms, call_sid))

    async def open_calls(self) -> tuple[Headline, ...]:
        """See Journal.open_calls."""
        (members,) = await self._reading.run(("ZRANGE", CALLS_KEY, 0, -1))
        found: list[tuple[int, Headline]] = []
        for first in range(0, len(members), PAGE_CALLS):
            found += [
                (opened_ms, headline)
                for headline, opened_ms, _ in await self._looked_up(
                    members[first : first + PAGE_CALLS]
                )
                if headline is not None
            ]
        return tuple(headline for _, headline in sorted(found, key=by_age))

    async def lapsed(self, *, now_ms: int, limit: int) -> tuple[Headline, ...]:
        """See Journal.lapsed."""
        found: list[tuple[int, Headline]] = []
        while len(found) < limit:
            page = ("LIMIT", len(found), PAGE_CALLS)
            due = ("ZRANGE", LEASES_KEY, "-inf", now_ms, "BYSCORE", *page)
            (members,) = await self._reading.run(due)
            if not members:
                break
            corrections: list[Command] = []
            looked_up = await self._looked_up(members)
            for member, (headline, opened_ms, is_released) in zip(members, looked_up, strict=True):
                if headline is None or is_released or headline.expires_ms <= now_ms:
                    corrections.append(script("unlist", LEASES_KEY, now_ms, member))
                    continue
                lease = headline.lease
                over_ms = opened_ms + UNCLAIMED_MS if lease is None else lease.until_ms
                if over_ms > now_ms:
                    corrections.append(("ZADD", LEASES_KEY, "XX", over_ms, member))
                else:
                    found.append((over_ms, headline))
            if corrections:
                await self._writing.run(*corrections)
        return tuple(headline for _, headline in sorted(found, key=by_age)[:limit])

    async def room(self) -> Room:
        """See Journal.room. What a record takes beside its body is an estimate."""
        (members,) = await self._reading.run(("ZRANGE", CALLS_KEY, 0, -1))
        used, over = 0, []
        for first in range(0, len(members), PAGE_CALLS):
            page = members[first : first + PAGE_CALLS]
            fields = ("bytes", "head", "expires", "released")
            asked = (("HMGET", CALL_KEY % member.decode(), *fields) for member in page)
            for member, row in zip(page, await self._reading.run(*asked), strict=True):
                bytes_, head, expires_ms, released = row
                used += int(bytes_ or 0) + RECORD_BYTES * int(head or 0)
                if released is not None:
                    over.append((int(expires_ms or 0), member.decode(), int(bytes_ or 0)))
        return Room(used, tuple(one[1:] for one in sorted(over)[:OVER_MAX]))

    async def prune(self, call_sid: str) -> bool:
        """See Journal.prune. Who claims the call anew enters it with a later time, and it stays."""
        (names,) = await self._reading.run(asking_names(call_sid))
        prune = call_script("prune", call_sid, ttl_ms=self._ttl_ms)
        (expires_ms,) = await self._writing.run(prune)
        if expires_ms is None:
            return False
        struck = script("unlist", CALLS_KEY, int(expires_ms) - 1, call_sid)
        await self._writing.run(*forgetting(call_sid, names), struck)
        return True

    async def sweep(self, *, now_ms: int) -> int:
        """See Journal.sweep."""
        swept = 0
        while True:
            due = ("ZRANGE", CALLS_KEY, "-inf", now_ms, "BYSCORE", "LIMIT", 0, PAGE_CALLS)
            (members,) = await self._reading.run(due)
            if not members:
                return swept
            expiries = await self._writing.run(
                *(
                    call_script("sweep", member.decode(), ttl_ms=self._ttl_ms, now_ms=now_ms)
                    for member in members
                )
            )
            tidied = map(_tidied, members, expiries, repeat(now_ms))
            swept += sum(await self._writing.run(*tidied))

    async def _looked_up(self, members: list[bytes]) -> list[tuple[Headline | None, int, bool]]:
        """Return each call's headline, when it was opened, and whether it is released."""
        rows = await self._reading.run(
            *(
                ("HMGET", CALL_KEY % member.decode(), *HEADLINE_FIELDS, "opened", "released")
                for member in members
            )
        )
        return [_read_row(member, row) for member, row in zip(members, rows, strict=True)]


class Listing:
    """The part of a journal that its roll answers."""

    _roll: Roll

    async def open_calls(self) -> tuple[Headline, ...]:
        """See Journal.open_calls."""
        return await self._roll.open_calls()

    async def room(self) -> Room:
        """See Journal.room."""
        return await self._roll.room()

    async def prune(self, call_sid: str) -> bool:
        """See Journal.prune."""
        return is_name(call_sid) and await self._roll.prune(call_sid)


def _read_row(member: bytes, row: list[Answer]) -> tuple[Headline | None, int, bool]:
    *fields, opened_ms, released = row
    if opened_ms is None:
        return None, 0, False
    return headline_from(member.decode(), fields), int(opened_ms), released is not None


def _tidied(member: bytes, expires_ms: bytes | None, now_ms: int) -> Command:
    """Return what corrects the roll about a call that was swept, or lives until `expires_ms`."""
    if expires_ms is None:
        return script("unlist", CALLS_KEY, now_ms, member)
    return ("ZADD", CALLS_KEY, "XX", expires_ms, member)
