"""Where a command of a test stands: in a folder of its own, with no settings but the test's own."""

from pathlib import Path

import pytest

from service.config import Config


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh folder to stand in, and no settings."""
    monkeypatch.chdir(tmp_path)
    for name in Config.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path


@pytest.fixture(autouse=True)
def _logging(logging_of_others: None) -> None:
    """A command sets up the logging of its whole process, which here is that of all tests."""
