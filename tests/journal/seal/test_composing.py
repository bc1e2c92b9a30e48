from pathlib import Path

import pytest

from service.errors import ConfigError
from service.journal.redis.vault import RedisVault
from service.journal.seal.composing import folder_of, sealed, vault_at
from service.journal.seal.folder import FolderVault
from service.journal.seal.vault import MemoryVault
from tests.journal.sealing import KEY


def test_each_store_has_its_vault() -> None:
    assert isinstance(vault_at("sqlite://:memory:", ttl_ms=1), MemoryVault)
    assert isinstance(vault_at("sqlite:///var/x.db", ttl_ms=1), FolderVault)
    assert isinstance(vault_at("redis://h", ttl_ms=1), RedisVault)
    assert folder_of(Path("var/x.db")) == Path("var/x.db-keys")


def test_the_vault_may_be_elsewhere() -> None:
    journal = sealed(
        "sqlite://:memory:",
        (KEY,),
        tenant_of=lambda _: "",
        ttl_ms=1,
        keys_url="sqlite:///var/keys",
    )
    assert isinstance(journal.vault, FolderVault)


def test_a_wrong_address_of_either_is_refused() -> None:
    for url, keys_url in (("nonsense", ""), ("sqlite://:memory:", "redis://h:port")):
        with pytest.raises(ConfigError):
            sealed(url, (KEY,), tenant_of=lambda _: "", ttl_ms=1, keys_url=keys_url)
