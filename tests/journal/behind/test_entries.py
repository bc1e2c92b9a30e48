import pytest

from service.journal.behind.entries import (
    ENTRY_BYTES,
    Entry,
    Leaving,
    Minding,
    Opening,
    Shelved,
    Taking,
    Writing,
    decode,
    encode,
    weight,
)

ENTRIES: tuple[Entry | None, ...] = (
    Opening((b"a", b"\xff"), 7),
    Taking((b"a",), "us", 3, 900, 7),
    Writing((b"a", b""), None, "key", 7, 12),
    Leaving(3, 7),
    Minding(7),
    None,
)


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_is_read_back_as_it_was_shelved(entry: Entry | None) -> None:
    shelved = Shelved("branch", "CA1", "inc", 2, 11, entry)
    assert decode(encode(shelved)) == shelved


def test_what_is_no_entry_of_ours_is_none() -> None:
    assert decode(b"") is None
    assert decode(b"\x93\x01\x02\x03") is None
    assert decode(b"\x81\xa6branch\xa1\x80") is None, "a name that is no UTF-8"
    assert decode(b"\x91" * 3_000) is None, "deeper than anybody reads"


def test_a_write_knows_where_it_begins_and_may_stand_elsewhere() -> None:
    writing = Writing((b"a", b"b"), 1, "key", 7, 12)
    assert writing.first == 11
    assert (writing.at(20).first, writing.at(20).key) == (19, "key")


def test_an_entry_weighs_what_it_holds() -> None:
    assert weight(Writing((b"12345",), 1, "key", 7, 12)) == ENTRY_BYTES + 5
    assert weight(Leaving(1, 2)) == weight(Minding(2)) == ENTRY_BYTES
