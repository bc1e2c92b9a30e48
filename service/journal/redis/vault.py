"""The vault in a Redis: the wrapped key of a call, beside the call and in its slot, or in another store.

    stayline:{CA…}:key       string: the wrapped key, for twice as long as a call lives without a write

A key that is deleted is gone from memory at once. What the server has written to its own disk keeps it
for a while: the append-only file until it is rewritten (BGREWRITEAOF), a dump until the next one
(BGSAVE), copies of either for as long as they are kept. Where an erasure must hold against those, too,
the keys lie in a store of their own that writes nothing to disk that is copied: KEY_STORE_URL.
"""

from service.journal.redis.routes import Routes
from service.journal.redis.scripts import CALL_KEY, script

VAULT_KEY = CALL_KEY + ":key"
LIVES = 2  # times to live of a call: whoever writes to a call later than that finds it gone


class RedisVault:
    """The vault in the Redis at `url`. Raises ConfigError for a URL that means none."""

    def __init__(self, url: str, *, ttl_ms: int, replicas: int | None = None) -> None:
        self._routes = Routes(url, replicas=replicas)
        self._ttl_ms = LIVES * ttl_ms

    async def start(self) -> None:
        """See Vault.start."""
        self._routes.start()
        await self.check()

    async def close(self) -> None:
        """See Vault.close."""
        await self._routes.close()

    async def check(self) -> None:
        """See Vault.check."""
        await self._routes.writing.run(("PING",))

    async def put(self, call_sid: str, wrapped: bytes) -> bytes:
        """See Vault.put. It is as durable as a record: replicas are waited for."""
        key = VAULT_KEY % call_sid
        (before,) = await self._routes.writing.run(
            ("SET", key, wrapped, "NX", "GET", "PX", self._ttl_ms)
        )
        return wrapped if before is None else bytes(before)

    async def fetch(self, call_sid: str) -> bytes | None:
        """See Vault.fetch."""
        asking = ("GETEX", VAULT_KEY % call_sid, "PX", self._ttl_ms)
        (kept,) = await self._routes.reading.run(asking)
        return None if kept is None else bytes(kept)

    async def replace(self, call_sid: str, before: bytes, after: bytes) -> bool:
        """See Vault.replace."""
        exchange = script("exchange", VAULT_KEY % call_sid, before, after)
        (exchanged,) = await self._routes.writing.run(exchange)
        return bool(exchanged)

    async def destroy(self, call_sid: str) -> bool:
        """See Vault.destroy."""
        (destroyed,) = await self._routes.writing.run(("DEL", VAULT_KEY % call_sid))
        return bool(destroyed)

    async def prune(self, present: object, *, before_ms: int) -> int:
        """See Vault.prune. The server forgets keys by itself when their time is over."""
        del present, before_ms
        return 0
