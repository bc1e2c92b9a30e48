"""The keys of calls in this process: fetched, made, kept in memory, and looked up again when in doubt.

Who opens or claims a call, or writes to it from outside, has its key fetched anew: somebody may have
erased the call, and a key that was destroyed must seal nothing more. The owner of a call writes under
its fence with the key that it was claimed with, so that no sentence waits for a key.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from service.errors import SealBroken
from service.journal.journal import Journal
from service.journal.seal.callkey import CallKey, is_sealed
from service.journal.seal.masters import Masters
from service.journal.seal.vault import Vault
from service.journal.values import Missing

KEYS_MAX = 20_000  # twice what a process holds or shows; each is about 1 KiB
BEFORE_BYTES_MAX = 500  # half a dozen keys that could not be opened, one after another
NO_KEY = b"\0"  # stands for a key that was lost: what it sealed is never opened again
TOUCHES = 8  # in a call's time to live, so that its key never expires before it

TenantOf = Callable[[Sequence[bytes]], str]


class CallKeys:
    """The keys in `vault`. `tenant_of` reads from a call's opening facts whose the call is."""

    def __init__(
        self, engine: Journal, vault: Vault, masters: Masters, tenant_of: TenantOf, *, ttl_ms: int
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._masters = masters
        self._tenant_of = tenant_of
        self._ttl_ms = ttl_ms
        self._kept: OrderedDict[str, CallKey] = OrderedDict()

    def held(self, call_sid: str) -> CallKey | None:
        """Return the call's key if it is in memory."""
        return self._kept.get(call_sid)

    async def known(self, call_sid: str) -> CallKey | None:
        """Return the call's key, from memory if it is there. Raises SealBroken, StoreUnavailable."""
        return self._kept.get(call_sid) or await self.fetched(call_sid)

    async def fetched(self, call_sid: str) -> CallKey | None:
        """Return the call's key as it is kept now; None when there is none. Raises as `known`."""
        if not self._masters:
            return None
        wrapped = await self._vault.fetch(call_sid)
        if wrapped is None:
            self.forget(call_sid)
            return None
        return self._unwrapped(call_sid, wrapped)

    async def for_opening(
        self, call_sid: str, opening: Sequence[bytes], now_ms: int
    ) -> CallKey | None:
        """Return the key of a call that may have to be opened; it is made when there is none.

        None when nothing is sealed.
        """
        found = await self.fetched(call_sid)
        if found is not None or not self._masters:
            return found
        there = await self._there(call_sid)
        if there is not None:
            return await self._made(call_sid, there.tenant, there.head, now_ms)
        return await self._made(call_sid, self._tenant_of(opening), 0, now_ms)

    async def for_writing(
        self, call_sid: str, *, is_owner: bool, after: int | None, now_ms: int
    ) -> CallKey | None:
        """Return the key of a call that is there; None when it is not.

        A call that was begun before there were keys gets one now, for what comes from here on.
        """
        found = await (self.known(call_sid) if is_owner else self.fetched(call_sid))
        if found is not None:
            return found
        there = await self._there(call_sid)
        if there is None:
            return None
        head = there.head if after is None else after
        return await self._made(call_sid, there.tenant, head, now_ms)

    async def renewed(
        self, call_sid: str, opening: Sequence[bytes], head: int, now_ms: int
    ) -> CallKey:
        """Make a key for what follows `head`, because what stands up to it can't be opened.

        The key that was there is kept with it. Raises SealBroken when that is too much to keep.
        """
        before = await self._vault.fetch(call_sid)
        if before is not None and len(before) > BEFORE_BYTES_MAX:
            raise SealBroken(f"Call {call_sid} has begun anew too often.")
        made = self._masters.made(
            self._tenant_of(opening),
            call_sid,
            since=head + 1,
            now_ms=now_ms,
            before=before or NO_KEY,
        )
        if before is None:
            return self._unwrapped(call_sid, await self._vault.put(call_sid, made))
        if await self._vault.replace(call_sid, before, made):
            return self._unwrapped(call_sid, made)
        found = await self.fetched(call_sid)
        if found is None:
            raise SealBroken(f"Call {call_sid} was erased while it was begun anew.")
        return found

    async def stands(self, key: CallKey) -> bool:
        """Say whether this is the key that is kept: nobody has erased the call meanwhile."""
        return key.is_of(await self.fetched(key.call_sid))

    async def touch(self, call_sid: str, now_ms: int) -> None:
        """Let the key of a call that goes on live on."""
        key = self._kept.get(call_sid)
        if key is not None and abs(now_ms - key.touched_ms) > self._ttl_ms // TOUCHES:
            key.touched_ms = now_ms
            await self._vault.fetch(call_sid)

    def forget(self, call_sid: str) -> None:
        """Let go of a key in memory."""
        self._kept.pop(call_sid, None)

    async def _there(self, call_sid: str) -> "_There | None":
        """Look at a call that has no key; it is of a time without keys, or half erased."""
        reading = await self._engine.read(call_sid)
        if isinstance(reading, Missing):
            return None
        opening = [one.body for one in reading.records[:1] if not is_sealed(one.body)]
        return _There(reading.head, self._tenant_of(opening))

    async def _made(self, call_sid: str, tenant: str, head: int, now_ms: int) -> CallKey:
        made = self._masters.made(tenant, call_sid, since=head + 1, now_ms=now_ms)
        return self._unwrapped(call_sid, await self._vault.put(call_sid, made))

    def _unwrapped(self, call_sid: str, wrapped: bytes) -> CallKey:
        before = self._kept.get(call_sid)
        if before is not None and before.wrapped == wrapped:
            self._kept.move_to_end(call_sid)
            return before
        key = self._opened(call_sid, wrapped)
        self._kept[call_sid] = key
        if len(self._kept) > KEYS_MAX:
            self._kept.popitem(last=False)
        return key

    def _opened(self, call_sid: str, wrapped: bytes) -> CallKey:
        kept, secret = self._masters.opened(wrapped, call_sid)
        earlier = None
        if kept.before:
            with suppress(SealBroken):  # it may be opened again once its master is back
                earlier = self._opened(call_sid, kept.before)
        return CallKey(kept, secret, wrapped, earlier)


class _There(NamedTuple):
    """A call that is there without a key: how far it goes, and whose it is."""

    head: int
    tenant: str
