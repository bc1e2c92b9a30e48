from pathlib import Path

import pytest

from service.errors import ConfigError
from service.journal.redis.journal import RedisJournal
from service.journal.sqlite.journal import SqliteJournal
from service.journal.stores import connect


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///var/stayline.db", Path("var/stayline.db")),
        ("sqlite:////srv/calls.db", Path("/srv/calls.db")),
        ("sqlite:///a b/ü.db", Path("a b/ü.db")),
        ("sqlite://:memory:", None),
        ("sqlite:///:memory:", None),
    ],
)
def test_a_sqlite_url_names_a_file_or_memory(url: str, path: Path | None) -> None:
    journal = connect(url, ttl_ms=1)
    assert isinstance(journal, SqliteJournal)
    assert journal._path == path


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://store.internal", "store.internal:6379"),
        ("redis://user:word@10.0.0.1:6380/3", "10.0.0.1:6380"),
        ("rediss://store.internal:6390/0", "store.internal:6390"),
    ],
)
def test_a_redis_url_names_a_server(url: str, place: str) -> None:
    journal = connect(url, ttl_ms=1)
    assert isinstance(journal, RedisJournal)
    assert journal._server.place == place


@pytest.mark.parametrize(
    "url",
    [
        "",
        "postgres://secret@host/calls",
        "var/stayline.db",
        "sqlite://",
        "sqlite:///",
        "sqlite://var/calls.db",
        "sqlite:///var/",
        "sqlite:///calls.db?mode=ro",
        "sqlite:///a\0b",
        "redis://:secret@host:port/0",
        "redis://:secret@host:99999999/0",
        "redis://:secret@host:1/0?colour=blue",
    ],
)
def test_any_other_url_is_one_clear_sentence_without_the_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        connect(url, ttl_ms=1)
    assert "STORE_URL" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_time_to_live_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="CALL_TTL_S"):
        connect("sqlite://:memory:", ttl_ms=0)
