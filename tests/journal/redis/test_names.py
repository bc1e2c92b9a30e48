import pytest

from service.journal.redis.names import asking, asking_names, forgetting, meant, naming
from service.journal.redis.scripts import SCRIPTS


def test_a_name_is_told_and_asked_under_one_key() -> None:
    *listed, told = naming("from:1", "CA1", ttl_ms=9, now_ms=5)
    assert told == ("SET", "stayline:name:from:1", "14 CA1", "PX", 9)
    assert asking("from:1") == ("GET", "stayline:name:from:1")
    assert {command[1] for command in listed} == {"stayline:{CA1}:names"}
    assert asking_names("CA1") == ("SMEMBERS", "stayline:{CA1}:names")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(None, None), (b"14 CA1", "CA1"), (b"13 CA1", None), (b"14 C A", "C A")],
)
def test_an_answer_means_a_call_until_its_time(answer: bytes | None, expected: str | None) -> None:
    assert meant(answer, now_ms=13) == expected


def test_each_name_is_forgotten_by_itself() -> None:
    first, second, last = forgetting("CA1", [b"a", "ü".encode()])
    sha = SCRIPTS["forget"].sha
    assert first == ("EVALSHA", sha, 1, "stayline:name:a", "CA1")
    assert second == ("EVALSHA", sha, 1, "stayline:name:ü", "CA1")
    assert last == ("DEL", "stayline:{CA1}:names")
