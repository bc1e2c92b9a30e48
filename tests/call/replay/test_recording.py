"""A recorded call as a file: it comes back as it was, and a damaged one is told in one sentence."""

from contextlib import suppress

import pytest
from hypothesis import example, given, strategies as st

from service.call import events as e
from service.call.folds.fold import fold_all
from service.call.policy import Policy, ToolTerms
from service.call.replay import recording
from service.call.replay.recording import RECORDS_MAX, decode, encode, recorded
from service.call.replay.sums import state_sum
from service.call.state import Call
from service.errors import BadRecording
from tests.call.replay.scenes import returning, taped

RULES = Policy(3, tools={"lookup": ToolTerms(is_idempotent=True, attempts_max=2, timeout_ms=9)})


def test_a_file_comes_back_as_it_was_byte_for_byte() -> None:
    newer = b'{"v":7, "kind":"from_tomorrow", "x":[1.50]}'
    bodies = [(0, 5, e.encode(e.CallOpened(call_sid="CA1"))), (1, 9, newer)]
    whole = recorded(bodies, call_sid="CA1", incarnation="i1", policy=RULES)
    text = encode(whole)
    assert text.count(b"\n") == 3
    again = decode(text)
    assert again == whole
    assert encode(again) == text
    assert bytes(again.entries[1].fact) == newer
    assert again.head.policy == RULES
    assert again.head.state == state_sum(fold_all(Call(), again.facts()))


def test_a_whole_call_comes_back() -> None:
    tape = taped(returning())
    assert decode(encode(tape)) == tape


HEAD = b'{"format":"stayline-journal","version":1,"records":1}\n'
RECORD = b'{"position":1,"epoch":0,"at_ms":5,"fact":{"kind":"call_opened","call_sid":"CA1"}}\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "the file is empty"),
        (b"\xff\xfe", "line 1 is no head"),
        (b"[1]\n", "line 1 is no head"),
        (b"[" * 100_000, "line 1 is no head"),
        (b'{"records":1,"format":"flac"}\n', "its format isn't stayline-journal"),
        (b'{"records":1,"version":2}\n', "the file is of version 2; only 1 can be read"),
        (HEAD, "the file has 0 records, and its first line says 1"),
        (HEAD + RECORD + RECORD, "the file has 2 records, and its first line says 1"),
        (HEAD + b"{}\n", "line 2 is no record"),
        (HEAD + b'{"position":1,"epoch":0,"at_ms":5,"fact":"\xff"}', "line 2 is no record"),
        (HEAD + RECORD.replace(b"}}", b""), "line 2 is no record"),
        (HEAD + RECORD.replace(b":1,", b":2,"), "line 2 has position 2 instead of 1"),
        (HEAD + RECORD.replace(b'"epoch":0', b'"epoch":-1'), "is out of its range"),
        (HEAD + RECORD.replace(b":5,", b":99999999999999999,"), "is out of its range"),
        (HEAD + b" " * 300_001, "line 2 is longer than 300000 bytes"),
    ],
)
def test_a_damaged_file_is_told_in_one_sentence(text: bytes, sentence: str) -> None:
    with pytest.raises(BadRecording) as told:
        decode(text)
    assert sentence in str(told.value)
    assert "\n" not in str(told.value)


def test_more_records_than_a_journal_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert RECORDS_MAX == 51_200
    monkeypatch.setattr(recording, "RECORDS_MAX", 1)
    with pytest.raises(BadRecording, match="more than 1 records"):
        decode(HEAD + RECORD + RECORD)


@given(st.binary(max_size=200), st.integers(0, 2))
@example(b'\x80"', 1)
def test_whatever_bytes_a_file_holds_it_is_read_or_refused(noise: bytes, lines: int) -> None:
    for text in (
        noise,
        (HEAD + RECORD)[: 20 * lines] + noise,
        HEAD + noise,
        HEAD + RECORD[:-3] + noise,
    ):
        with suppress(BadRecording):
            assert encode(decode(text)).startswith(b'{"format":"stayline-journal"')
