"""Puts a seal in front of a store, and finds the vault that belongs to it.

sqlite:///var/stayline.db      the folder var/stayline.db-keys
sqlite://:memory:              memory
redis://… and its kin          the same servers: a key beside each call
"""

from collections.abc import Sequence
from pathlib import Path

from service.journal.journal import Journal
from service.journal.redis.vault import RedisVault
from service.journal.seal.folder import FolderVault
from service.journal.seal.journal import SealedJournal
from service.journal.seal.keys import TenantOf
from service.journal.seal.masters import Masters
from service.journal.seal.vault import MemoryVault, Vault
from service.journal.stores import connect, sqlite_path
from service.trust.sealkeys import SealKey

FOLDER_ENDING = "-keys"


def vault_at(url: str, *, ttl_ms: int, replicas: int | None = None) -> Vault:
    """Return the vault at a store's URL. Raises ConfigError."""
    if not url.startswith("sqlite:"):
        return RedisVault(url, ttl_ms=ttl_ms, replicas=replicas)
    path = sqlite_path(url)
    return MemoryVault() if path is None else FolderVault(folder_of(path))


def folder_of(path: Path) -> Path:
    """Return where the keys of the store in this file lie."""
    return path.with_name(path.name + FOLDER_ENDING)


def sealed(
    url: str,
    keys: Sequence[SealKey],
    *,
    tenant_of: TenantOf,
    ttl_ms: int,
    replicas: int | None = None,
    keys_url: str = "",
    engine: Journal | None = None,
) -> SealedJournal:
    """Return the journal at `url`, sealed with `keys`; without any it is read and written in clear.

    The keys of calls lie beside the store, or at `keys_url`. Raises ConfigError.
    """
    engine = engine or connect(url, ttl_ms=ttl_ms, replicas=replicas)
    # As many replicas as confirm a record, of the same store.
    apart = None if keys_url else replicas
    vault = vault_at(keys_url or url, ttl_ms=ttl_ms, replicas=apart)
    return SealedJournal(engine, vault, Masters(keys), tenant_of, ttl_ms=ttl_ms)
