"""Who has the agent's place, folded. What the caller says meanwhile is owed an answer, by whom ever."""

from itertools import takewhile

from msgspec.structs import replace

from service.call import events as e, seat
from service.call.draft import Draft
from service.call.folds import turns
from service.call.place import Placed, Steps
from service.call.state import Line


def _requested(call: Draft, fact: e.TakeoverRequested, place: Placed) -> None:
    """A farewell is said to its end: nobody takes over a call that is about to end."""
    if call.phase == "ended" or call.ending:
        return
    call.taken_over = seat.asked_for(
        call.taken_over,
        by=fact.by,
        seat=fact.seat,
        from_seat=fact.from_seat,
        at_ms=place.at_ms,
        is_named=fact.is_named,
    )


def _handback_requested(call: Draft, fact: e.HandbackRequested, _place: Placed) -> None:
    held = call.taken_over
    if held is not None and held.seat == fact.seat:
        call.taken_over = replace(held, is_leaving=True)


def _taken_over(call: Draft, fact: e.TakenOver, place: Placed) -> None:
    held = call.taken_over
    if held is None or held.seat != fact.seat:
        return
    call.taken_over = replace(held, is_taken=True)
    unanswered = _unanswered(call)
    if call.turn is None and unanswered:
        turns.begin(call, "speech", place.position, text=unanswered)


def _unanswered(call: Draft) -> str:
    """What the caller said last, if all of our answer to it was cut before they heard a sound."""
    newest = call.lines()[::-1]
    unheard = len(list(takewhile(_is_unheard, newest)))
    said = list(takewhile(lambda line: line.who == "caller", newest[unheard:]))
    texts = (line.text for line in reversed(said) if line.text)
    return " ".join(texts) if unheard else ""


def _is_unheard(line: Line) -> bool:
    return line.who == "agent" and line.cut and not line.heard


def _handed_back(call: Draft, _fact: e.HandedBack, place: Placed) -> None:
    """The agent answers what stands unanswered; else it waits for the caller, and asks nothing again.

    A model's own memory of the call ends where the person began: it is told the transcript instead.
    """
    held, call.taken_over = call.taken_over, None
    if held is None or not held.is_taken:
        return
    call.asked = ""
    call.asks = call.silences = 0
    call.resume_token = b""
    turns.tell(call, place.position)


STEPS: Steps = {
    e.TakeoverRequested: _requested,
    e.HandbackRequested: _handback_requested,
    e.TakenOver: _taken_over,
    e.HandedBack: _handed_back,
}
