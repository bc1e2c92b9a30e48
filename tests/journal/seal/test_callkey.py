"""S-7: what is sealed opens in its own place, and nowhere else."""

import json
import struct

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import replace

from service.errors import SealBroken
from service.journal.limits import SEAL_BYTES, plain_length
from service.journal.seal.callkey import UNREADABLE, CallKey, is_sealed
from service.journal.seal.masters import Masters
from service.journal.values import Record, Snapshot
from tests.journal.sealing import KEY

AT_MS = 1_790_000_000_000
MASTERS = Masters([KEY])


def call_key(call_sid: str = "CA1", tenant: str = "", since: int = 1) -> CallKey:
    wrapped = MASTERS.made(tenant, call_sid, since=since, now_ms=AT_MS)
    return CallKey(*MASTERS.opened(wrapped, call_sid), wrapped)


def twin(key: CallKey, *, call_sid: str = "CA1", tenant: str = "") -> CallKey:
    """Return another call's key that has the same secret."""
    kept, _ = MASTERS.opened(MASTERS.made(tenant, call_sid, since=1, now_ms=AT_MS), call_sid)
    return CallKey(kept, key.secret, b"")


def written(key: CallKey, count: int = 3, first: int = 1) -> list[Record]:
    bodies = [b'{"n":%d}' % n for n in range(count)]
    sealed = key.seal(bodies, first=first, epoch=2, at_ms=AT_MS)
    return [Record(first + n, 2, AT_MS, body) for n, body in enumerate(sealed)]


def test_what_was_sealed_opens() -> None:
    key = call_key()
    records = written(key)
    assert all(is_sealed(one.body) and b"n" not in one.body[:1] for one in records)
    assert [one.body for one in key.open(records)] == [b'{"n":0}', b'{"n":1}', b'{"n":2}']
    assert {len(one.body) for one in records} == {len(b'{"n":0}') + SEAL_BYTES}
    assert plain_length(records[0].body) == len(b'{"n":0}')


def test_not_one_bit_of_1000_records_can_be_changed() -> None:
    """S-7: each byte of 1,000 records."""
    key = call_key()
    for record in written(key, count=1_000):
        for place in range(len(record.body)):
            changed = bytearray(record.body)
            changed[place] ^= 1 << place % 8
            with pytest.raises(SealBroken):
                key.open_one(replace(record, body=bytes(changed)))
        for short in (b"", record.body[:1], record.body[:20], record.body[:-1]):
            with pytest.raises(SealBroken):
                key.open_one(replace(record, body=short))


def test_no_record_opens_elsewhere() -> None:
    """S-7: swapped between positions, fences, times, calls and tenants."""
    key = call_key()
    records = written(key, count=30)
    for one in records:
        for other in records:
            if one is not other:
                with pytest.raises(SealBroken):
                    key.open_one(replace(one, body=other.body))
        for moved in (replace(one, epoch=3), replace(one, at_ms=AT_MS + 1)):
            with pytest.raises(SealBroken):
                key.open_one(moved)
        for stranger in (call_key(), twin(key, call_sid="CA2"), twin(key, tenant="acme")):
            with pytest.raises(SealBroken, match="can't be opened"):
                stranger.open_one(one)


def test_a_record_for_no_place_is_bound_to_all_else() -> None:
    key = call_key()
    (body,) = key.seal_loose([b"note"], epoch=0, at_ms=AT_MS)
    record = Record(9, 0, AT_MS, body)
    assert key.open_one(record).body == b"note"
    assert key.open_one(replace(record, position=4)).position == 4
    for other in (
        replace(record, epoch=1),
        replace(record, at_ms=AT_MS + 1),
        replace(record, body=b"\xc1" + body[1:]),
    ):
        with pytest.raises(SealBroken):
            key.open_one(other)
    with pytest.raises(SealBroken):
        twin(key, call_sid="CA2").open_one(record)


def test_what_stood_there_before_the_keys_is_read_and_nothing_after() -> None:
    key = call_key(since=4)
    assert key.open_one(Record(3, 0, AT_MS, b"{}")).body == b"{}"
    with pytest.raises(SealBroken, match="record 4 is not sealed"):
        key.open_one(Record(4, 0, AT_MS, b"{}"))
    assert key.open_snapshot(Snapshot(3, b"s")) == Snapshot(3, b"s")
    with pytest.raises(SealBroken, match="snapshot is not sealed"):
        key.open_snapshot(Snapshot(4, b"s"))


def test_a_snapshot_is_bound_to_its_position_and_is_no_record() -> None:
    key = call_key()
    body = key.seal_snapshot(7, b"state")
    assert key.open_snapshot(Snapshot(7, body)) == Snapshot(7, b"state")
    assert key.open_snapshot(None) is None
    with pytest.raises(SealBroken):
        key.open_snapshot(Snapshot(8, body))
    with pytest.raises(SealBroken):
        key.open_one(Record(7, 0, 0, body))
    with pytest.raises(SealBroken):
        key.open_snapshot(Snapshot(1, written(key)[0].body))


def test_no_nonce_is_used_twice() -> None:
    """S-7: over 1,000,000 bodies, of a call that could have 51,200."""
    key = call_key()
    nonces = set[bytes]()
    for _ in range(1_000):
        nonces |= {one[1:13] for one in key.seal([b""] * 1_000, first=1, epoch=1, at_ms=0)}
    assert len(nonces) == 1_000_000


def test_a_key_knows_itself_under_another_wrapping() -> None:
    key = call_key()
    assert key.is_of(twin(key))
    assert not key.is_of(call_key())
    assert not key.is_of(None)


def test_two_who_have_one_key_use_no_nonce_of_each_other() -> None:
    """S-7: another process, or this one after it fetched the key anew, begins elsewhere."""
    wrapped = Masters([KEY]).made("", "CA1", since=1, now_ms=0)
    nonces = [
        one[1:13]
        for _ in range(100)
        for one in CallKey(*Masters([KEY]).opened(wrapped, "CA1"), wrapped).seal(
            [b""] * 10, first=1, epoch=1, at_ms=0
        )
    ]
    assert len(set(nonces)) == 1_000


def test_what_is_sealed_opens_with_the_cipher_and_the_layout_alone() -> None:
    """S-7: another version must open what this one sealed, so that the layout stands here once more."""
    key = call_key(tenant="acme")
    cipher = AESGCM(key.secret)
    bound = msgspec.msgpack.encode((1, "acme", "CA1"))
    placed = [(1, 5, 2), (1, 6, 2), (3, 0, 2), (2, 9, 0)]
    sealed = [
        *key.seal([b"a", b"b"], first=5, epoch=2, at_ms=AT_MS),
        *key.seal_loose([b"c"], epoch=2, at_ms=AT_MS),
        key.seal_snapshot(9, b"d"),
    ]
    for count, (body, plain, place) in enumerate(zip(sealed, b"abcd", placed, strict=True)):
        at_ms = 0 if place[0] == 2 else AT_MS
        told = bound + struct.pack(">BQQQ", *place, at_ms)
        assert cipher.decrypt(body[1:13], body[13:], told) == bytes([plain])
        assert body[9:13] == count.to_bytes(4, "big")
        assert body[1:9] == sealed[0][1:9]
    assert [body[:1] for body in sealed] == [b"\xc1", b"\xc1", b"\xc0", b"\xc1"]
    assert (key.call_sid, key.since, key.touched_ms) == ("CA1", 1, AT_MS)
    assert MASTERS.opened(key.wrapped, "CA1")[1] == key.secret


def test_each_key_believes_something_of_its_own_calls_end() -> None:
    one, other = call_key("CA1"), call_key("CA2")
    one.tip.reached(5)
    assert (one.tip.reserve(1).after, other.tip.reserve(1).after) == (5, 0)


def test_what_no_journal_has_is_not_sealed() -> None:
    for first, epoch in ((-1, 0), (2**64, 0), (1, -1)):
        with pytest.raises(ValueError, match="out of range"):
            call_key().seal([b""], first=first, epoch=epoch, at_ms=AT_MS)


def anew(earlier: CallKey | None) -> CallKey:
    """Return the key of a call that was begun anew at position 4."""
    wrapped = MASTERS.made("", "CA1", since=4, now_ms=AT_MS, before=b"kept")
    kept, secret = MASTERS.opened(wrapped, "CA1")
    return CallKey(kept, secret, wrapped, earlier)


def test_of_a_call_begun_anew_each_key_opens_its_own_part() -> None:
    old = call_key()
    key = anew(old)
    for record in (*written(old, count=5), *written(key, count=2, first=4)):
        assert key.open_one(record).body.startswith(b'{"n"')
    for body, position in ((key.seal_snapshot(4, b"s"), 4), (old.seal_snapshot(3, b"s"), 3)):
        assert key.open_snapshot(Snapshot(position, body)) == Snapshot(position, b"s")


@pytest.mark.parametrize("earlier", [None, call_key()])
def test_of_a_call_begun_anew_what_is_lost_is_only_what_stood_before(
    earlier: CallKey | None,
) -> None:
    lost, key = call_key(), anew(earlier)
    before, after = written(lost, count=2, first=3)
    assert key.open_one(before) == replace(before, body=UNREADABLE)
    assert key.open_one(written(key, first=3)[0]).body == UNREADABLE
    with pytest.raises(SealBroken, match="record 4 does not fit"):
        key.open_one(after)
    with pytest.raises(SealBroken, match="record 4 is not sealed"):
        key.open_one(Record(4, 0, AT_MS, b"{}"))
    assert key.open_snapshot(Snapshot(3, lost.seal_snapshot(3, b"s"))) is None
    with pytest.raises(SealBroken, match="snapshot does not fit"):
        key.open_snapshot(Snapshot(4, lost.seal_snapshot(4, b"s")))


def test_whoever_reads_that_a_call_is_broken_is_told_which_and_how() -> None:
    with pytest.raises(SealBroken) as caught:
        call_key("CA7").open_one(Record(4, 0, AT_MS, b"{}"))
    assert str(caught.value) == (
        "Call CA7 can't be opened: record 4 is not sealed, though it must be."
    )
    assert json.loads(UNREADABLE) == {"kind": "unreadable"}
    assert [is_sealed(mark) for mark in (b"\xc1", b"\xc0", b"{")] == [True, True, False]
