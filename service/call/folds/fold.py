"""The fold: one fact into the state.

    call = fold(call, fact, place)

One small function per fact, found in one table by the fact's type. A fact that changes nothing but
the clock still moves the position; unknown facts do only that.
"""

from collections.abc import Iterable
from typing import Any

from service.call.afterwards import told
from service.call.draft import Draft, begun
from service.call.events import AnyFact, DialEnded, LevelsMeasured, VoicemailLeft
from service.call.folds import (
    carrying,
    connection,
    hearing,
    operating,
    private,
    requests,
    seats,
    speaking,
)
from service.call.place import Placed, Steps
from service.call.state import Call


def _told(call: Draft, fact: AnyFact, place: Placed) -> None:
    call.afterwards = told(call.afterwards, fact, position=place.position, at_ms=place.at_ms)


STEPS: Steps = {
    **connection.STEPS,
    **speaking.STEPS,
    **hearing.STEPS,
    **operating.STEPS,
    **requests.STEPS,
    **seats.STEPS,
    **carrying.STEPS,
    **private.STEPS,
    DialEnded: _told,
    VoicemailLeft: _told,
}


def fold(call: Call, fact: AnyFact, place: Placed) -> Call:
    """Return the state after `fact`, which was written at `place`."""
    return fold_all(call, ((fact, place),))


def fold_all(call: Call, facts: Iterable[tuple[AnyFact, Placed]]) -> Call:
    """Fold facts in their order.

    How far they go, and when and by whom they were written, is set once, at the end: a step reads that of its
    own place, never of the call.
    """
    draft = begun(call)
    position, epoch, updated_ms = call.position, call.epoch, call.updated_ms
    for fact, place in facts:
        kind: type[Any] = type(fact)
        step = STEPS.get(kind)
        if step is not None:  # An unknown fact has none, and some change nothing.
            step(draft, fact, place)
        position = place.position
        if place.epoch != epoch:
            epoch = max(epoch, place.epoch)
        # Levels are measured when nobody did anything: who is waited for still is.
        if place.at_ms > updated_ms and kind is not LevelsMeasured:
            updated_ms = place.at_ms
    draft.position, draft.epoch, draft.updated_ms = position, epoch, updated_ms
    return draft.standing()
