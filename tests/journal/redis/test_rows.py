import pytest

from service.journal.redis.rows import (
    CALL_FIELDS,
    HEADLINE_FIELDS,
    by_age,
    headline_from,
    lease_from,
    outcome_from,
    packed,
    reading_from,
    records_from,
    records_past_snapshot,
)
from service.journal.values import (
    Appended,
    Behind,
    Durability,
    Fenced,
    Full,
    Headline,
    Lease,
    Missing,
    Outcome,
    Reading,
    Record,
    Snapshot,
)

HEADLINE = [b"i", b"2", b"3", b"99", b"one", b"2", b"5", b"9"]


def test_a_record_comes_out_as_it_went_in() -> None:
    elements = packed([b"", b"\0\xff"], epoch=7, at_ms=1_790_000_000_000)
    assert records_from(elements, after=4) == (
        Record(5, 7, 1_790_000_000_000, b""),
        Record(6, 7, 1_790_000_000_000, b"\0\xff"),
    )


def test_a_headline_is_made_of_its_fields() -> None:
    assert len(HEADLINE_FIELDS) == len(HEADLINE)
    headline = headline_from("CA1", HEADLINE)
    assert headline == Headline("CA1", "i", 2, 3, Lease("one", 2, 5, 9), 99)
    assert lease_from(None, None, None, None) is None


def test_a_reading_is_whole_or_missing() -> None:
    elements = packed([b"c"], epoch=1, at_ms=5)
    fields = [*HEADLINE, b"2", b"state"]
    assert len(fields) == len(CALL_FIELDS)
    reading = reading_from(fields, elements, 3, after=2)
    assert reading == Reading("i", 2, 3, Snapshot(2, b"state"), (Record(3, 1, 5, b"c"),))
    assert reading_from(fields, elements, 2, after=2) == Missing()
    assert reading_from([None] * len(fields), [], 0, after=0) == Missing()


def test_records_before_a_newer_snapshot_are_left_out() -> None:
    records = tuple(Record(n, 1, 5, b"") for n in (2, 3, 4))
    reading = Reading("i", 1, 4, None, records)
    assert records_past_snapshot(reading) == records
    reading = Reading("i", 1, 4, Snapshot(3, b""), records)
    assert records_past_snapshot(reading) == records[2:]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([b"appended", 4], Appended(4, Durability.LOCAL)),
        ([b"repeated", 4], Appended(4, Durability.LOCAL, repeated=True)),
        ([b"fenced", 2], Fenced(2)),
        ([b"behind", 9], Behind(9)),
        ([b"full", 0], Full()),
        ([b"missing", 0], Missing()),
    ],
)
def test_an_answer_is_an_outcome(answer: list[bytes | int], expected: Outcome) -> None:
    assert outcome_from(answer, Durability.LOCAL) == expected


def test_calls_are_ordered_by_age() -> None:
    calls = [(2, headline_from("CA1", HEADLINE)), (1, headline_from("CA2", HEADLINE))]
    assert [call.call_sid for _, call in sorted(calls, key=by_age)] == ["CA2", "CA1"]
