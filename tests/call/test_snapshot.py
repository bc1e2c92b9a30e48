import msgspec
import pytest

from service.call import snapshot
from service.call.snapshot import packed, unpacked
from service.call.state import Call, Field, Prompt, Request, StreamEntry, Turn


def test_a_snapshot_brings_the_whole_state_back() -> None:
    call = Call(
        call_sid="CA1",
        phase="live",
        fields={"name": Field("Ma", confirmed=True)},
        prompts=(Prompt("p1", 3, ("a", "b"), 1),),
        streams=(StreamEntry("MZ1", 1, "drop", 0, 0, detached_ms=3, reason="closed"),),
        turn=Turn(2, "speech", "hi", "half"),
        requests=(Request("r1", "digits", "12"),),
        planned_cause="dtmf",
        ending="transfer",
    )
    assert unpacked(packed(call)) == call
    assert unpacked(packed(Call())) == Call()


def test_a_snapshot_that_other_code_folded_is_not_read() -> None:
    body = packed(Call(call_sid="CA1"))
    assert unpacked(body) == Call(call_sid="CA1")
    other = msgspec.json.decode(body, type=snapshot.Kept)
    other = msgspec.structs.replace(other, mark=other.mark ^ 1)
    with pytest.raises(msgspec.ValidationError, match="another version"):
        unpacked(msgspec.json.encode(other))


def test_the_mark_is_the_same_in_every_process_and_changes_with_the_folding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = snapshot.mark()
    snapshot.mark.cache_clear()
    assert snapshot.mark() == before
    monkeypatch.setattr(snapshot, "FOLDING", snapshot.FOLDING + 1)
    snapshot.mark.cache_clear()
    assert snapshot.mark() != before
    snapshot.mark.cache_clear()


@pytest.mark.parametrize(
    "body", [b'{"mark":1,"call":{"phase":"asleep"}}', b'{"call_sid":"CA1"}', b"[]"]
)
def test_a_snapshot_that_was_written_otherwise_is_an_error(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        unpacked(body)
