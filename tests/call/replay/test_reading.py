"""What one write is: its beginning counted, and what stands at its places."""

from service.call import events as e, inputs as i
from service.call.replay.reading import Reading, written_at_once
from service.call.state import Call

PLAYED = e.Played(prompt="p1", clauses=1)
CUT = e.SpeechCut(prompt="p1", reason="key")
KEY = e.DigitPressed(digit="1")


def test_the_beginning_of_a_write_tells_of_our_own_words() -> None:
    write = written_at_once(Call(), (PLAYED, PLAYED, CUT, KEY), 5, server="s1")
    assert (write.played, write.cuts, write.first, write.reason) == (2, 1, 3, "key")
    assert write.heard == (PLAYED, PLAYED)
    assert write.told(3) == {0, 1, 3}
    assert write.beside(3) == KEY
    assert write.beside(4) is None
    assert (write.server, write.has_model) == ("s1", False)


def test_a_write_without_them_begins_at_once() -> None:
    write = written_at_once(Call(), (KEY, KEY, CUT), 5, has_model=True)
    assert (write.first, write.reason, write.heard, write.has_model) == (0, "", (), True)
    assert list(write.following((e.DigitPressed,), 0)) == [(0, KEY), (1, KEY)]
    assert list(write.following((e.DigitPressed,), 2)) == []
    assert list(write.following((e.SpeechCut,), 2)) == [(2, CUT)]


def test_a_reading_covers_what_it_was_read_from() -> None:
    assert Reading(i.Settle()).count == 1
    assert Reading(i.Settle(), size=3).count == 3
    assert Reading(i.Settle(), frozenset((0, 4)), size=2).count == 5
