import random

import pytest

from service.call import events as e
from service.call.folds.fold import fold
from service.call.mind import LINES_MAX, NOTES_MAX, STREAMS_MAX, in_mind
from service.call.place import Place
from service.call.state import Call, Line, Note, StreamEntry


def _line(position: int) -> Line:
    return Line(position, "caller", "Yes.", "Yes.", cut=False, at_ms=position)


def test_a_call_of_usual_length_is_kept_whole() -> None:
    call = Call(transcript=tuple(map(_line, range(LINES_MAX))))
    assert in_mind(call) is call


@pytest.mark.parametrize(
    "call",
    [
        Call(transcript=tuple(map(_line, range(LINES_MAX + 3)))),
        Call(notes=tuple(Note(n, "He is deaf.", "ann", n) for n in range(NOTES_MAX + 3))),
        Call(streams=tuple(StreamEntry(f"MZ{n}", n, "drop", 0, n) for n in range(STREAMS_MAX + 3))),
    ],
)
def test_of_what_grows_with_a_call_the_latest_is_kept(call: Call) -> None:
    kept = in_mind(call)
    assert in_mind(kept) is kept
    for whole, some, most in (
        (call.transcript, kept.transcript, LINES_MAX),
        (call.notes, kept.notes, NOTES_MAX),
        (call.streams, kept.streams, STREAMS_MAX),
    ):
        assert some == whole[-most:]


def _talk(chance: random.Random) -> list[e.Known]:
    """More of a talk than is kept, with words cut, told late, and said in between."""
    facts: list[e.Known] = [e.CallOpened(call_sid="CA1")]
    for turn in range(1, LINES_MAX):
        name = f"p{turn}"
        facts.append(e.AgentSpoke(prompt=name, clauses=("One.", "Two."), turn=turn))
        if chance.random() < 0.3:
            facts.append(e.CallerSpoke(text="Mm-hm.", backchannel=True, before=name))
        facts.append(e.Played(prompt=name, clauses=chance.randrange(3)))
        facts.append(e.SpeechCut(prompt=name, reason="interrupted"))
        facts.append(e.CallerSpoke(text=f"Line {turn}.", partial=chance.random() < 0.1))
        if chance.random() < 0.1:
            facts.append(
                e.StreamAttached(stream_sid=f"MZ{turn}", cause="drop", gap_ms=1, server="s")
            )
    return facts


@pytest.mark.parametrize("seed", range(5))
def test_to_bound_and_then_fold_is_to_fold_and_then_bound(seed: int) -> None:
    whole = bounded = Call()
    for position, fact in enumerate(_talk(random.Random(seed)), 1):
        place = Place(position, 1, position * 1_000)
        whole, bounded = fold(whole, fact, place), in_mind(fold(bounded, fact, place))
        assert bounded == in_mind(whole), f"seed {seed}, position {position}"
    assert len(whole.transcript) > LINES_MAX
