"""What people asked for, folded."""

from msgspec.structs import replace

from service.call import events as e
from service.call.draft import Draft
from service.call.place import Placed, Steps
from service.call.seat import seen
from service.call.state import Note, Request


def _ask(call: Draft, request: Request) -> None:
    call.requests = (*call.requests, request)


def _ask_from(call: Draft, seat: str, request: Request, place: Placed) -> None:
    """While a person has the agent's place only they ask for this; it shows that they are there."""
    held = call.taken_over
    if held is not None:
        if held.seat != seat:
            return
        call.taken_over = seen(held, place.at_ms)
    _ask(call, request)


def _digits_requested(call: Draft, fact: e.DigitsRequested, place: Placed) -> None:
    _ask_from(call, fact.seat, Request(fact.request, "digits", fact.digits), place)


def _say_requested(call: Draft, fact: e.SayRequested, place: Placed) -> None:
    _ask_from(call, fact.seat, Request(fact.request, "say", fact.text), place)


def _transfer_requested(call: Draft, fact: e.TransferRequested, _place: Placed) -> None:
    _ask(call, Request(fact.request, "transfer", fact.to_number))


def _hangup_requested(call: Draft, fact: e.HangupRequested, _place: Placed) -> None:
    _ask(call, Request(fact.request, "hangup"))


def _plan(call: Draft, fact: e.RestartPlanned | e.MovePlanned, place: Placed) -> None:
    call.planned_cause = fact.cause
    call.planned_ms = place.at_ms


def _restart_planned(call: Draft, fact: e.RestartPlanned, place: Placed) -> None:
    _plan(call, fact, place)
    call.requests = tuple(
        replace(r, is_started=True) if r.request == fact.request else r for r in call.requests
    )


def _restart_missed(call: Draft, _fact: e.RestartMissed, _place: Placed) -> None:
    call.planned_cause = None


def _digits_sent(call: Draft, fact: e.DigitsSent, _place: Placed) -> None:
    call.requests = tuple(r for r in call.requests if r.request != fact.request)
    if fact.outcome not in ("sent", "unknown"):
        call.planned_cause = None


def _note_added(call: Draft, fact: e.NoteAdded, place: Placed) -> None:
    call.notes = (*call.notes, Note(place.position, fact.text, fact.by, place.at_ms))


STEPS: Steps = {
    e.DigitsRequested: _digits_requested,
    e.SayRequested: _say_requested,
    e.TransferRequested: _transfer_requested,
    e.HangupRequested: _hangup_requested,
    e.RestartPlanned: _restart_planned,
    e.RestartMissed: _restart_missed,
    e.MovePlanned: _plan,
    e.DigitsSent: _digits_sent,
    e.NoteAdded: _note_added,
}
