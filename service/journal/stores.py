"""Which journal a store's URL means.

sqlite:///var/stayline.db      a file, relative to the working directory
sqlite:////srv/stayline.db     a file, absolute
sqlite://:memory:              in memory, for tests
redis://… rediss://…           one Redis or Valkey server
redis+sentinel://… redis+cluster://…   several, see redis/address.py; rediss+ with TLS
"""

from pathlib import Path

from service.errors import ConfigError
from service.journal.journal import Journal
from service.journal.redis.journal import RedisJournal
from service.journal.sqlite.journal import SqliteJournal

_MEMORY = ("sqlite://:memory:", "sqlite:///:memory:")
_REDIS = (
    "redis",
    "rediss",
    "redis+sentinel",
    "rediss+sentinel",
    "redis+cluster",
    "rediss+cluster",
)


def connect(url: str, *, ttl_ms: int, replicas: int | None = None) -> Journal:
    """Return the journal at `url`, not yet started; calls live `ttl_ms` after their last activity.

    `replicas` of a Redis confirm each write before it is acknowledged; None lets the store decide.
    Raises ConfigError with one sentence that never repeats the URL: it may hold a password.
    """
    if ttl_ms < 1:
        raise ConfigError("CALL_TTL_S must be at least a thousandth of a second.")
    scheme = url.partition("://")[0]
    if scheme == "sqlite":
        return SqliteJournal(sqlite_path(url), ttl_ms=ttl_ms)
    if scheme in _REDIS:
        return RedisJournal(url, ttl_ms=ttl_ms, replicas=replicas)
    raise ConfigError(
        "STORE_URL must begin with sqlite:///, redis://, redis+sentinel:// or redis+cluster://."
    )


def sqlite_path(url: str) -> Path | None:
    """Return the file that a sqlite URL names, None for a store in memory. Raises ConfigError."""
    if url in _MEMORY:
        return None
    rest = url.partition("://")[2]
    if not rest.startswith("/") or rest.endswith("/") or not rest.isprintable() or "?" in rest:
        raise ConfigError(
            "STORE_URL: a SQLite file is sqlite:///folder/file.db, or sqlite:////folder/file.db "
            "from the root."
        )
    return Path(rest[1:])
