"""An earlier call that was cut off, and how it is gone on with, folded."""

from msgspec.structs import replace

from service.call import events as e
from service.call.callback import told
from service.call.draft import Draft
from service.call.earlier import Earlier
from service.call.folds import turns
from service.call.place import Placed, Steps
from service.call.state import Field


def _carried(call: Draft, fact: e.EarlierCarried, place: Placed) -> None:
    call.earlier = Earlier(
        fact.call_sid,
        fact.by,
        fact.ended_ms,
        fields=fact.fields,
        stage=fact.stage,
        asked=fact.asked,
        transcript=fact.transcript,
        tools=fact.tools,
    )
    call.continues = fact.call_sid
    # Found in the middle of a call: the agent is to speak of it, unless it is about to speak anyway.
    if call.is_greeted and call.turn is None and not call.ending:
        turns.begin(call, "earlier", place.position)


def _taken(call: Draft, fact: e.EarlierTaken, place: Placed) -> None:
    """Take the earlier answers over. What this call's own caller said or keyed goes before them."""
    earlier = call.earlier
    if earlier is None or earlier.standing != "open":
        return
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
    call.earlier = replace(earlier, standing="taken", is_stale=fact.is_stale, fields={})
    call.fields = {**known, **carried, **said}
    call.stage = earlier.stage or call.stage
    call.asked = ""
    call.asks = 0
    if call.is_greeted:
        turns.close(call, call.turn.number if call.turn else 0, place.position)
        turns.begin(call, "earlier", place.position)


def _declined(call: Draft, _fact: e.EarlierDeclined, _place: Placed) -> None:
    earlier = call.earlier
    if earlier is None or earlier.standing != "open":
        return
    call.earlier = Earlier(earlier.call_sid, earlier.by, earlier.ended_ms, standing="declined")
    call.asked = ""
    call.asks = 0


def _carried_on(call: Draft, fact: e.CarriedOn, _place: Placed) -> None:
    call.carried_on = call.carried_on or fact.call_sid


def _callback(call: Draft, fact: e.Fact, place: Placed) -> None:
    call.callback = told(call.callback, fact, place.at_ms)


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
