import os

import pytest

from service.errors import ConfigError
from service.journal.redis.address import SPOTS_MAX, Spot, address_of


@pytest.mark.parametrize(
    ("url", "kind", "spots", "name"),
    [
        ("redis://", "single", [("localhost", 6379)], ""),
        ("redis://h:7/1", "single", [("h", 7)], ""),
        ("rediss://u:w@h", "single", [("h", 6379)], ""),
        ("redis+sentinel://a,b:7/main", "sentinel", [("a", 26379), ("b", 7)], "main"),
        ("rediss+sentinel://:w@[::1]:7,b/main/2", "sentinel", [("::1", 7), ("b", 26379)], "main"),
        ("redis+cluster://a:1,b", "cluster", [("a", 1), ("b", 6379)], ""),
        ("rediss+cluster://u:w%2C,@a:1/0", "cluster", [("a", 1)], ""),
    ],
)
def test_an_address_names_its_servers(
    url: str, kind: str, spots: list[tuple[str, int]], name: str
) -> None:
    address = address_of(url)
    assert (address.kind, list(address.spots), address.name) == (kind, spots, name)
    line = address.line_to(Spot("elsewhere", 9))
    assert "host=elsewhere,port=9," in repr(line)
    assert ("SSL" in type(line).__name__) is url.startswith("rediss")


def test_words_and_the_database_are_for_servers_and_sentinels_have_words_of_their_own() -> None:
    address = address_of("redis+sentinel://u:w%40@a/main/2?sentinel_username=s&sentinel_password=p")
    server, sentinel = address.line_to(Spot("a", 1)), address.watch_line_to(Spot("a", 1))
    assert (server.username, server.password, server.db) == ("u", "w@", 2)
    assert (sentinel.username, sentinel.password, sentinel.db) == ("s", "p", 0)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis+sentinel://secret:26379", "the primary's name"),
        ("redis+sentinel://secret:26379/", "the primary's name"),
        ("redis+sentinel://secret:26379,/main", r"redis\+sentinel:// address can't be read"),
        ("redis+cluster://secret/1", "database 0 only"),
        ("redis+cluster://" + ",".join(["secret"] * (SPOTS_MAX + 1)), "too many hosts"),
        ("redis://secret,secret", "too many hosts"),
        ("redis+tower://secret", "can't be read"),
        ("redis+cluster://secret:port", "can't be read"),
        ("redis+cluster://secret?colour=blue", "can't be read"),
    ],
)
def test_a_wrong_address_is_one_line_that_does_not_repeat_it(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        address_of(url)
    assert str(caught.value).startswith("STORE_URL: ")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_connection_looks_for_nothing_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    address = address_of("redis://h")

    def refuse(*_: object, **__: object) -> os.stat_result:
        raise AssertionError("The disk was looked at.")

    monkeypatch.setattr(os, "stat", refuse)
    address.line_to(Spot("h", 1))
