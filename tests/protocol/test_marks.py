import pytest

from service.protocol import marks
from service.protocol.buffer import Buffer
from service.protocol.marks import Marks

START_MS = 1_000_000
LONG = 80_000  # samples of the caller's: no echo is waited for because he is silent


def sent(*positions: int, is_proven: bool = False) -> Marks:
    """Return the marks of a stream on which all was sent at once, one named after each position."""
    buffer = Buffer()
    buffer.send(positions[-1], START_MS)
    ours = Marks(buffer, is_proven=is_proven)
    for position in positions:
        ours.sent(str(position), position, START_MS)
    return ours


def test_the_first_mark_that_is_not_back_holds_us_up() -> None:
    ours = sent(800, 1_600)
    assert ours.open_at(START_MS) == 800
    assert ours.echoed("800", START_MS + 100)
    assert (ours.open_at(START_MS + 100), ours.shown) == (1_600, 800)
    assert ours.echoed("1600", START_MS + 200)
    assert (ours.open_at(START_MS + 200), ours.shown) == (None, 1_600)
    assert ours.due_ms(START_MS + 200, None) is None


def test_a_later_one_stands_for_all_before_it() -> None:
    ours = sent(800, 1_600)
    assert ours.echoed("1600", START_MS + 200)
    assert not ours.echoed("800", START_MS + 210)
    assert ours.names == ()


@pytest.mark.parametrize("name", ["", "801", "keep-alive"])
def test_what_was_never_sent_is_none_of_ours(name: str) -> None:
    ours = sent(800)
    assert not ours.echoed(name, START_MS)
    assert ours.open_at(START_MS) == 800


@pytest.mark.parametrize(
    ("is_proven", "listened", "grace_ms"),
    [
        (False, LONG, marks.GRACE_MS),
        (False, 0, marks.GRACE_PROVEN_MS),
        (True, LONG, marks.GRACE_PROVEN_MS),
        (True, 0, marks.GRACE_DARK_MS),
    ],
)
def test_a_peer_is_mute_when_a_mark_is_overdue(
    *, is_proven: bool, listened: int, grace_ms: int
) -> None:
    ours = sent(800, is_proven=is_proven)
    ours.listened(listened)
    late_ms = START_MS + 100 + grace_ms
    assert ours.open_at(late_ms - 1) == 800
    grace_min_ms = marks.GRACE_PROVEN_MS if is_proven else marks.GRACE_MS
    assert ours.due_ms(START_MS, None) == START_MS + 100 + grace_min_ms
    assert ours.due_ms(late_ms - 1, None) == late_ms
    assert not ours.is_mute
    assert ours.open_at(late_ms) is None
    assert ours.is_mute


def test_one_that_comes_too_late_says_that_the_peer_does_echo() -> None:
    ours = sent(800, 16_000)
    ours.listened(LONG)
    late_ms = START_MS + 100 + marks.GRACE_MS
    assert ours.open_at(late_ms) is None
    assert ours.names == ("800", "16000")
    assert ours.echoed("800", late_ms + 10)
    assert not ours.is_mute
    assert (ours.open_at(late_ms + 10), ours.shown) == (16_000, 800)
    due_ms = ours.due_ms(late_ms + 10, None)
    assert due_ms is not None
    assert due_ms > START_MS + 2_000 + marks.GRACE_PROVEN_MS


def test_what_comes_sooner_than_an_overdue_mark_is_told_of_instead() -> None:
    ours = sent(800)
    late_ms = START_MS + 100 + marks.GRACE_MS
    assert ours.due_ms(START_MS, late_ms - 1) == late_ms - 1
    assert ours.due_ms(START_MS, late_ms + 1) == late_ms


def test_who_finds_it_out_far_too_late_stood_still_himself() -> None:
    ours = sent(800)
    ours.listened(LONG)
    woken_ms = START_MS + 100 + marks.GRACE_MS + marks.STALL_MS
    assert ours.open_at(woken_ms) == 800
    assert ours.open_at(woken_ms + marks.GRACE_MS - 1) == 800
    assert ours.open_at(woken_ms + marks.GRACE_MS) is None


def test_after_a_new_beginning_nothing_of_before_counts() -> None:
    ours = sent(800, 16_000)
    ours.listened(LONG)
    ours.open_at(START_MS + 100 + marks.GRACE_MS)
    ours.begin(16_000)
    assert (ours.names, ours.shown) == ((), 16_000)
    assert not ours.echoed("800", START_MS + 2_000)


def test_only_so_many_are_outstanding() -> None:
    ours = sent(*range(1, marks.OUTSTANDING_MAX))
    assert ours.has_room
    ours.sent("one more", marks.OUTSTANDING_MAX, START_MS)
    assert not ours.has_room
