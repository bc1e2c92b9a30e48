import pytest

from service.journal.limits import (
    APPEND_BYTES_MAX,
    APPEND_RECORDS_MAX,
    LAPSED_MAX,
    NAME_CHARS_MAX,
    SNAPSHOT_BYTES_MAX,
    TIME_MS_MAX,
    check_append,
    check_bodies,
    check_names,
    check_snapshot,
    check_span,
    check_times,
    is_name,
    position_within,
    within_limit,
)
from service.journal.values import RECORD_BYTES_MAX


@pytest.mark.parametrize("name", ["CA1", "x" * NAME_CHARS_MAX, "Zoë Müller", "a b:c/d"])
def test_a_printable_word_is_a_name(name: str) -> None:
    assert is_name(name)
    check_names(name)


@pytest.mark.parametrize(
    "name", ["", "x" * (NAME_CHARS_MAX + 1), "a\n", "\0", "\ud800", "{a}", "}"]
)
def test_anything_else_is_no_name(name: str) -> None:
    assert not is_name(name)
    with pytest.raises(ValueError, match="printable characters, no braces"):
        check_names("fine", name)


@pytest.mark.parametrize("time_ms", [-1, TIME_MS_MAX + 1])
def test_a_time_out_of_range_is_refused(time_ms: int) -> None:
    check_times(0, TIME_MS_MAX)
    with pytest.raises(ValueError, match="out of range"):
        check_times(5, time_ms)


def test_bodies_are_bounded_each_and_together() -> None:
    check_bodies([])
    check_bodies([bytes(RECORD_BYTES_MAX)] * (APPEND_BYTES_MAX // RECORD_BYTES_MAX))
    check_bodies([b""] * APPEND_RECORDS_MAX)
    with pytest.raises(ValueError, match="262145 bytes"):
        check_bodies([bytes(RECORD_BYTES_MAX + 1)])
    with pytest.raises(ValueError, match="1001 records at once"):
        check_bodies([b""] * (APPEND_RECORDS_MAX + 1))
    with pytest.raises(ValueError, match="bytes at once"):
        check_bodies([bytes(RECORD_BYTES_MAX)] * 17)


def test_an_append_has_a_record_and_sound_numbers() -> None:
    check_append([b""], epoch=None, after=None)
    check_append([b""], epoch=1, after=0)
    with pytest.raises(ValueError, match="at least one record"):
        check_append([], epoch=1, after=0)
    for epoch, after in ((-1, 0), (1, -1), (2**64, 0)):
        with pytest.raises(ValueError, match="neither an epoch nor a position"):
            check_append([b""], epoch=epoch, after=after)


def test_a_snapshot_is_of_something_and_not_too_large() -> None:
    check_snapshot(epoch=1, position=1, body=bytes(SNAPSHOT_BYTES_MAX))
    with pytest.raises(ValueError, match="bytes; at most"):
        check_snapshot(epoch=1, position=1, body=bytes(SNAPSHOT_BYTES_MAX + 1))
    for epoch, position in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="both from 1 on"):
            check_snapshot(epoch=epoch, position=position, body=b"")


def test_a_position_is_brought_into_range() -> None:
    assert [position_within(n) for n in (-3, 0, 7, 2**64)] == [0, 0, 7, TIME_MS_MAX]


def test_a_time_to_live_is_longer_than_nothing() -> None:
    check_span(1)
    for span_ms in (0, -1, TIME_MS_MAX + 1):
        with pytest.raises(ValueError, match="time"):
            check_span(span_ms)


def test_a_bounded_number_of_calls_is_told_of() -> None:
    assert [within_limit(n) for n in (-1, 0, 7, 10**9)] == [0, 0, 7, LAPSED_MAX]
