"""Where the wrapped keys of calls lie: apart from the records, so that a key alone can be destroyed.

records, snapshots ──> the store and its copies, as long as they live
wrapped key        ──> the vault: one key a call, gone for good when the call is erased
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

from service.journal.seal.masters import read

Present = Callable[[], Awaitable[Collection[str]]]  # asks for the calls that are there


class Vault(Protocol):
    """What every vault promises. Raises StoreUnavailable when it can't answer."""

    async def start(self) -> None:
        """Connect and prepare."""
        ...

    async def close(self) -> None:
        """Let go of files and sockets."""
        ...

    async def check(self) -> None:
        """Raise StoreUnavailable unless keys can be kept now."""
        ...

    async def put(self, call_sid: str, wrapped: bytes) -> bytes:
        """Keep the key, durably, unless one is kept already. Returns the one that is kept then."""
        ...

    async def fetch(self, call_sid: str) -> bytes | None:
        """Return the kept key, None when there is none. It lives on from now."""
        ...

    async def replace(self, call_sid: str, before: bytes, after: bytes) -> bool:
        """Put one key in the place of another, in one step. False when `before` is not kept there."""
        ...

    async def destroy(self, call_sid: str) -> bool:
        """Destroy the key beyond repair. False when there was none."""
        ...

    async def prune(self, present: Present, *, before_ms: int) -> int:
        """Destroy keys made before then of calls that are not `present`; return how many."""
        ...


class MemoryVault:
    """The vault of a store in memory."""

    def __init__(self) -> None:
        self._keys: dict[str, bytes] = {}

    async def start(self) -> None:
        """See Vault.start."""

    async def close(self) -> None:
        """See Vault.close."""
        self._keys.clear()

    async def check(self) -> None:
        """See Vault.check."""

    async def put(self, call_sid: str, wrapped: bytes) -> bytes:
        """See Vault.put."""
        return self._keys.setdefault(call_sid, wrapped)

    async def fetch(self, call_sid: str) -> bytes | None:
        """See Vault.fetch."""
        return self._keys.get(call_sid)

    async def replace(self, call_sid: str, before: bytes, after: bytes) -> bool:
        """See Vault.replace."""
        is_there = self._keys.get(call_sid) == before
        if is_there:
            self._keys[call_sid] = after
        return is_there

    async def destroy(self, call_sid: str) -> bool:
        """See Vault.destroy."""
        return self._keys.pop(call_sid, None) is not None

    async def prune(self, present: Present, *, before_ms: int) -> int:
        """See Vault.prune."""
        kept = await present()
        gone = [
            sid for sid, key in self._keys.items() if sid not in kept and is_older(key, before_ms)
        ]
        for call_sid in gone:
            del self._keys[call_sid]
        return len(gone)


def is_older(wrapped: bytes, before_ms: int) -> bool:
    """Say whether a key was made before then. Bytes that are no key are as old as can be."""
    kept = read(wrapped)
    return kept is None or kept.made_ms < before_ms
