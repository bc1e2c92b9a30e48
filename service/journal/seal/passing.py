"""What passes through a seal: holds, tokens and lists unchanged, names as keyed digests."""

import asyncio
from collections.abc import Callable

from service.journal.journal import Journal
from service.journal.limits import TIME_MS_MAX, check_names, check_span, check_times, is_name
from service.journal.seal.keys import CallKeys
from service.journal.seal.masters import Masters
from service.journal.seal.vault import Vault
from service.journal.values import (
    Durability,
    Ear,
    Headline,
    Lease,
    Missing,
    Room,
    Spent,
    Unspendable,
)

GONE_MS = 1  # the shortest time to live: the name means nothing any more


class Passing:
    """The part of a sealed journal that seals no body. Without masters the vault stays shut."""

    def __init__(self, engine: Journal, vault: Vault, masters: Masters, keys: CallKeys) -> None:
        self.engine = engine
        self.vault = vault
        self.masters = masters
        self.keys = keys

    async def start(self) -> None:
        """See Journal.start. Whatever fails, both are begun with: either may come later."""
        beginnings = [self.engine.start(), *([self.vault.start()] if self.masters else [])]
        for outcome in await asyncio.gather(*beginnings, return_exceptions=True):
            if outcome is not None:
                raise outcome

    async def close(self) -> None:
        """See Journal.close."""
        await self.engine.close()
        await self.vault.close()

    async def check(self, *, now_ms: int) -> Durability:
        """See Journal.check. A store that keeps records but no keys is none that calls may come to."""
        durability = await self.engine.check(now_ms=now_ms)
        if self.masters:
            await self.vault.check()
        return durability

    def listen(self, call_sid: str, ear: Ear) -> Callable[[], None]:
        """See Journal.listen."""
        return self.engine.listen(call_sid, ear)

    async def lease(
        self, call_sid: str, *, epoch: int, owner: str, until_ms: int, now_ms: int
    ) -> bool:
        """See Journal.lease. The call's key lives on, too."""
        is_ours = await self.engine.lease(
            call_sid, epoch=epoch, owner=owner, until_ms=until_ms, now_ms=now_ms
        )
        if is_ours:
            await self.keys.touch(call_sid, now_ms)
        return is_ours

    async def adopt(
        self, call_sid: str, *, lapsed: Lease | None, owner: str, until_ms: int, now_ms: int
    ) -> bool:
        """See Journal.adopt."""
        return await self.engine.adopt(
            call_sid, lapsed=lapsed, owner=owner, until_ms=until_ms, now_ms=now_ms
        )

    async def release(self, call_sid: str, *, epoch: int) -> bool:
        """See Journal.release."""
        return await self.engine.release(call_sid, epoch=epoch)

    async def lapsed(self, *, now_ms: int, limit: int) -> tuple[Headline, ...]:
        """See Journal.lapsed."""
        return await self.engine.lapsed(now_ms=now_ms, limit=limit)

    async def remember(self, name: str, call_sid: str, *, ttl_ms: int, now_ms: int) -> None:
        """See Journal.remember. What an older key, or none, made of the name means nothing after that."""
        check_names(name, call_sid)
        check_times(now_ms)
        check_span(ttl_ms)
        newest, *older = self._names(name)
        await self.engine.remember(newest, call_sid, ttl_ms=ttl_ms, now_ms=now_ms)
        for one in older:
            if await self.engine.recall(one, now_ms=now_ms) is not None:
                await self.engine.remember(one, call_sid, ttl_ms=GONE_MS, now_ms=now_ms)

    async def recall(self, name: str, *, now_ms: int) -> str | None:
        """See Journal.recall. A name remembered before the keys were rotated, or set, is known."""
        check_times(now_ms)
        if not is_name(name):
            return None
        for one in self._names(name):
            call_sid = await self.engine.recall(one, now_ms=now_ms)
            if call_sid is not None:
                return call_sid
        return None

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
        return await self.engine.spend(
            call_sid,
            nonce,
            stream_sid=stream_sid,
            window_ms=window_ms,
            uses_max=uses_max,
            now_ms=now_ms,
        )

    async def room(self) -> Room:
        """See Journal.room. The keys of calls are not counted."""
        return await self.engine.room()

    async def prune(self, call_sid: str) -> bool:
        """See Journal.prune. The rows go first here: the key of a call that lives must stay.

        Whoever claims the call anew at this moment takes the old key, unless it is destroyed already. When
        that claim came first the key is put back; later ones find that it does not stand, and begin again.
        """
        wrapped = await self.vault.fetch(call_sid) if self.masters and is_name(call_sid) else None
        if not await self.engine.prune(call_sid):
            return False
        self.keys.forget(call_sid)
        if wrapped is not None:
            await self.vault.destroy(call_sid)
            there = await self.engine.read(call_sid, after=TIME_MS_MAX)
            if not isinstance(there, Missing):
                await self.vault.put(call_sid, wrapped)
        return True

    async def open_calls(self) -> tuple[Headline, ...]:
        """See Journal.open_calls."""
        return await self.engine.open_calls()

    def _names(self, name: str) -> list[str]:
        return [*self.masters.names(name), name]
