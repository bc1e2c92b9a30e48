import pytest

from service.call import events as e
from service.call.presence import Presence, presence

STREAM = e.StreamAttached(stream_sid="MZ1", cause="new", gap_ms=0, server="s")
GONE = e.StreamDetached(stream_sid="MZ1", reason="closed 1001", last_media_ms=0)
SPOKE = e.CallerSpoke(text="Hello.")
OPENED = e.CallOpened(call_sid="WB1")


@pytest.mark.parametrize(
    ("told", "kept_ms", "is_there"),
    [
        ([], 0, False),
        ([(OPENED, 10)], 10, False),
        ([(OPENED, 10), (e.NoteAdded(text="!"), 20)], 10, False),
        # To open a call is to do something: its first stream is the person's.
        ([(OPENED, 10), (STREAM, 20)], 10, True),
        ([(OPENED, 10), (STREAM, 20), (GONE, 90)], 90, False),
        # A page that comes back by itself keeps nothing …
        ([(OPENED, 10), (STREAM, 20), (GONE, 90), (STREAM, 100), (GONE, 200)], 90, False),
        # … but while it is there, voice keeps it; so does a key, to the end of the stream.
        ([(STREAM, 20), (SPOKE, 30), (GONE, 90)], 90, False),
        ([(STREAM, 20), (e.DigitPressed(digit="1"), 30)], 30, True),
        # Its server died: what counts is when that was there last.
        (
            [(STREAM, 20), (SPOKE, 30), (e.CallAdopted(server="t", seen_ms=70), 99)],
            70,
            False,
        ),
        ([(STREAM, 20), (e.CallAdopted(server="t", seen_ms=70), 99)], 0, False),
        ([(SPOKE, 30), (GONE, 50)], 30, False),
    ],
)
def test_a_call_is_kept_from_when_its_person_was_there_last(
    told: list[tuple[e.AnyFact, int]], kept_ms: int, *, is_there: bool
) -> None:
    known = presence(told)
    assert (known.kept_ms, known.is_there) == (kept_ms, is_there)


def test_it_starts_from_nothing() -> None:
    assert presence([]) == Presence()
