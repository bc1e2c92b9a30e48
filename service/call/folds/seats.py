"""Who has the agent's place, folded. What the caller says meanwhile is owed an answer, by whom ever."""

from itertools import takewhile

from msgspec.structs import replace

from service.call import events as e, seat
from service.call.folds import turns
from service.call.place import Place, Steps
from service.call.state import Call, Line


def _requested(call: Call, fact: e.TakeoverRequested, place: Place) -> Call:
    """A farewell is said to its end: nobody takes over a call that is about to end."""
    if call.phase == "ended" or call.ending:
        return call
    held = seat.asked_for(
        call.taken_over,
        by=fact.by,
        seat=fact.seat,
        from_seat=fact.from_seat,
        at_ms=place.at_ms,
        is_named=fact.is_named,
    )
    return replace(call, taken_over=held)


def _handback_requested(call: Call, fact: e.HandbackRequested, _place: Place) -> Call:
    held = call.taken_over
    if held is None or held.seat != fact.seat:
        return call
    return replace(call, taken_over=replace(held, is_leaving=True))


def _taken_over(call: Call, fact: e.TakenOver, place: Place) -> Call:
    held = call.taken_over
    if held is None or held.seat != fact.seat:
        return call
    silent = replace(call, taken_over=replace(held, is_taken=True))
    unanswered = _unanswered(call)
    if call.turn is not None or not unanswered:
        return silent
    return turns.opened(silent, "speech", place.position, text=unanswered)


def _unanswered(call: Call) -> str:
    """What the caller said last, if all of our answer to it was cut before they heard a sound."""
    newest = call.transcript[::-1]
    unheard = len(list(takewhile(_is_unheard, newest)))
    said = list(takewhile(lambda line: line.who == "caller", newest[unheard:]))
    texts = (line.text for line in reversed(said) if line.text)
    return " ".join(texts) if unheard else ""


def _is_unheard(line: Line) -> bool:
    return line.who == "agent" and line.cut and not line.heard


def _handed_back(call: Call, _fact: e.HandedBack, place: Place) -> Call:
    """The agent answers what stands unanswered; else it waits for the caller, and asks nothing again.

    A model's own memory of the call ends where the person began: it is told the transcript instead.
    """
    held = call.taken_over
    free = replace(call, taken_over=None)
    if held is None or not held.is_taken:
        return free
    return turns.told_of(
        replace(free, asked="", asks=0, silences=0, resume_token=b""), place.position
    )


STEPS: Steps = {
    e.TakeoverRequested: _requested,
    e.HandbackRequested: _handback_requested,
    e.TakenOver: _taken_over,
    e.HandedBack: _handed_back,
}
