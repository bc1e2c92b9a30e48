from pathlib import Path

import pytest

from tests.commands.journal.sealed import text
from tests.journal.sealing import seal_key


@pytest.fixture
def sealed(alone: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings that name a store that is sealed."""
    monkeypatch.setenv("STORE_URL", "sqlite:///calls.db")
    monkeypatch.setenv("SEAL_KEYS", text(seal_key("k1")))
    return alone
