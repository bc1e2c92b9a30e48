"""An earlier call that was cut off, and how it is gone on with, folded."""

from msgspec.structs import replace

from service.call import events as e
from service.call.callback import told
from service.call.earlier import Earlier
from service.call.folds import turns
from service.call.place import Place, Steps
from service.call.state import Call, Field


def _carried(call: Call, fact: e.EarlierCarried, place: Place) -> Call:
    earlier = Earlier(
        fact.call_sid,
        fact.by,
        fact.ended_ms,
        fields=fact.fields,
        stage=fact.stage,
        asked=fact.asked,
        transcript=fact.transcript,
        tools=fact.tools,
    )
    after = replace(call, earlier=earlier, continues=fact.call_sid)
    # Found in the middle of a call: the agent is to speak of it, unless it is about to speak anyway.
    is_news = call.is_greeted and call.turn is None and not call.ending
    return turns.opened(after, "earlier", place.position) if is_news else after


def _taken(call: Call, fact: e.EarlierTaken, place: Place) -> Call:
    """Take the earlier answers over. What this call's own caller said or keyed goes before them."""
    earlier = call.earlier
    if earlier is None or earlier.standing != "open":
        return call
    carried = {
        name: Field(
            one.value,
            confirmed=one.confirmed and not fact.is_stale,
            source=one.source,
            confidence_milli=one.confidence_milli,
            at_ms=one.at_ms,
        )
        for name, one in earlier.fields.items()
    }
    known = {name: one for name, one in call.fields.items() if name not in carried}
    said = {name: one for name, one in call.fields.items() if one.source != "directory"}
    after = replace(
        call,
        earlier=replace(earlier, standing="taken", is_stale=fact.is_stale, fields={}),
        fields={**known, **carried, **said},
        stage=earlier.stage or call.stage,
        asked="",
        asks=0,
    )
    if not call.is_greeted:
        return after
    number = call.turn.number if call.turn else 0
    return turns.opened(turns.answered(after, number, place.position), "earlier", place.position)


def _declined(call: Call, _fact: e.EarlierDeclined, _place: Place) -> Call:
    earlier = call.earlier
    if earlier is None or earlier.standing != "open":
        return call
    nothing = Earlier(earlier.call_sid, earlier.by, earlier.ended_ms, standing="declined")
    return replace(call, earlier=nothing, asked="", asks=0)


def _carried_on(call: Call, fact: e.CarriedOn, _place: Place) -> Call:
    return replace(call, carried_on=call.carried_on or fact.call_sid)


def _callback(call: Call, fact: e.Fact, place: Place) -> Call:
    return replace(call, callback=told(call.callback, fact, place.at_ms))


STEPS: Steps = {
    e.EarlierCarried: _carried,
    e.EarlierTaken: _taken,
    e.EarlierDeclined: _declined,
    e.CarriedOn: _carried_on,
    e.CallbackRequested: _callback,
    e.CallbackDialled: _callback,
    e.CallbackPlaced: _callback,
    e.CallbackEnded: _callback,
}
