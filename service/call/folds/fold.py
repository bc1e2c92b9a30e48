"""The fold: one fact into the state.

    call = fold(call, fact, place)

One small function per fact, found in one table by the fact's type. A fact that changes nothing but
the clock still moves the position; unknown facts do only that.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from service.call.afterwards import told
from service.call.events import AnyFact, LevelsMeasured, Unknown
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
from service.call.place import Place, Steps
from service.call.state import Call

STEPS: Steps = {
    **connection.STEPS,
    **speaking.STEPS,
    **hearing.STEPS,
    **operating.STEPS,
    **requests.STEPS,
    **seats.STEPS,
    **carrying.STEPS,
    **private.STEPS,
}


def fold(call: Call, fact: AnyFact, place: Place) -> Call:
    """Return the state after `fact`, which was written at `place`."""
    step = None if isinstance(fact, Unknown) else STEPS.get(type(fact))
    after = step(call, fact, place) if step else call
    is_idle = isinstance(fact, LevelsMeasured)  # Nobody did anything: who is waited for still is.
    return replace(
        after,
        position=place.position,
        epoch=max(place.epoch, call.epoch),
        updated_ms=call.updated_ms if is_idle else max(place.at_ms, call.updated_ms),
        afterwards=told(call.afterwards, fact, position=place.position, at_ms=place.at_ms),
    )


def fold_all(call: Call, facts: Iterable[tuple[AnyFact, Place]]) -> Call:
    """Fold facts in their order."""
    for fact, place in facts:
        call = fold(call, fact, place)
    return call
