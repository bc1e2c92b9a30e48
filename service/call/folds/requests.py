"""What people asked for, folded."""

from msgspec.structs import replace

from service.call import events as e
from service.call.place import Place, Steps
from service.call.seat import seen
from service.call.state import Call, Note, Request


def _asked_for(call: Call, request: Request) -> Call:
    return replace(call, requests=(*call.requests, request))


def _of_seat(call: Call, request: Request, seat: str, place: Place) -> Call:
    """While a person has the agent's place only they ask for this; it shows that they are there."""
    held = call.taken_over
    if held is None:
        return _asked_for(call, request)
    if held.seat != seat:
        return call
    return replace(_asked_for(call, request), taken_over=seen(held, place.at_ms))


def _digits_requested(call: Call, fact: e.DigitsRequested, place: Place) -> Call:
    return _of_seat(call, Request(fact.request, "digits", fact.digits), fact.seat, place)


def _say_requested(call: Call, fact: e.SayRequested, place: Place) -> Call:
    return _of_seat(call, Request(fact.request, "say", fact.text), fact.seat, place)


def _transfer_requested(call: Call, fact: e.TransferRequested, _place: Place) -> Call:
    return _asked_for(call, Request(fact.request, "transfer", fact.to_number))


def _hangup_requested(call: Call, fact: e.HangupRequested, _place: Place) -> Call:
    return _asked_for(call, Request(fact.request, "hangup"))


def _restart_planned(call: Call, fact: e.RestartPlanned, place: Place) -> Call:
    requests = tuple(
        replace(r, is_started=True) if r.request == fact.request else r for r in call.requests
    )
    return replace(call, planned_cause=fact.cause, planned_ms=place.at_ms, requests=requests)


def _restart_missed(call: Call, _fact: e.RestartMissed, _place: Place) -> Call:
    return replace(call, planned_cause=None)


def _move_planned(call: Call, fact: e.MovePlanned, place: Place) -> Call:
    return replace(call, planned_cause=fact.cause, planned_ms=place.at_ms)


def _digits_sent(call: Call, fact: e.DigitsSent, _place: Place) -> Call:
    requests = tuple(r for r in call.requests if r.request != fact.request)
    is_live = fact.outcome in ("sent", "unknown")
    return replace(call, requests=requests, planned_cause=call.planned_cause if is_live else None)


def _note_added(call: Call, fact: e.NoteAdded, place: Place) -> Call:
    return replace(call, notes=(*call.notes, Note(place.position, fact.text, fact.by, place.at_ms)))


STEPS: Steps = {
    e.DigitsRequested: _digits_requested,
    e.SayRequested: _say_requested,
    e.TransferRequested: _transfer_requested,
    e.HangupRequested: _hangup_requested,
    e.RestartPlanned: _restart_planned,
    e.RestartMissed: _restart_missed,
    e.MovePlanned: _move_planned,
    e.DigitsSent: _digits_sent,
    e.NoteAdded: _note_added,
}
