"""What the caller said, keyed and answered, folded."""

from msgspec.structs import replace

from service.call import events as e
from service.call.draft import Draft
from service.call.folds import turns
from service.call.place import Placed, Steps
from service.call.state import Field, Line

MISHEARD_MS = 800  # shorter sounds that make no words are coughs and clicks, not answers


def _caller_began(call: Draft, _fact: e.CallerBegan, _place: Placed) -> None:
    call.is_caller_speaking = True


def _caller_partly_heard(call: Draft, fact: e.CallerPartlyHeard, _place: Placed) -> None:
    call.is_caller_speaking = True
    call.partial_text = fact.text


def _caller_spoke(call: Draft, fact: e.CallerSpoke, place: Placed) -> None:
    call.partial_text = ""
    if not fact.text and (fact.partial or fact.duration_ms < MISHEARD_MS):
        call.is_caller_speaking &= fact.partial
        return
    if fact.text:
        line = Line(place.position, "caller", fact.text, fact.text, fact.partial, place.at_ms)
        lines = call.lines()
        lines.insert(_answered(call, fact.before) if fact.before else len(lines), line)
    if fact.partial:
        # It may be recognised after the next stream attached: whether the caller speaks is news of then.
        call.half_text = turns.joined(call.half_text, fact.text)
        return
    call.is_caller_speaking = False
    if fact.text:
        call.silences = 0
    if fact.backchannel:
        return
    if not fact.before and not call.ending:
        turns.hear(call, fact.text, place.position)
    call.half_text = ""


def _answered(call: Draft, prompt: str) -> int:
    """Return where our own line of this prompt stands, or the end: what the caller said goes before it."""
    answers = {one.position for one in call.prompts if one.prompt == prompt}
    lines = call.lines()
    return next((at for at, one in enumerate(lines) if one.position in answers), len(lines))


def _caller_silent(call: Draft, _fact: e.CallerSilent, place: Placed) -> None:
    call.silences += 1
    turns.begin(call, "silence", place.position)


def _digit_pressed(call: Draft, fact: e.DigitPressed, place: Placed) -> None:
    pending = call.digits_pending
    call.digits_pending = {"*": "", "#": pending}.get(fact.digit, pending + fact.digit)
    call.digit_ms = place.at_ms
    call.silences = 0


def _digits_entered(call: Draft, fact: e.DigitsEntered, place: Placed) -> None:
    call.digits_pending = ""
    call.lines().append(
        Line(place.position, "caller", fact.digits, fact.digits, cut=False, at_ms=place.at_ms)
    )
    if not call.ending:
        turns.key(call, fact.digits, place.position)
    call.half_text = ""


def _field_filled(call: Draft, fact: e.FieldFilled, place: Placed) -> None:
    field = Field(
        fact.value,
        source=fact.source,
        confidence_milli=fact.confidence_milli,
        at_ms=place.at_ms,
    )
    call.fields = {**call.fields, fact.name: field}


def _field_confirmed(call: Draft, fact: e.FieldConfirmed, place: Placed) -> None:
    field = call.fields.get(fact.name)
    if field is not None:
        confirmed = replace(field, confirmed=True, at_ms=place.at_ms)
        call.fields = {**call.fields, fact.name: confirmed}


def _field_cleared(call: Draft, fact: e.FieldCleared, _place: Placed) -> None:
    call.fields = {k: v for k, v in call.fields.items() if k != fact.name}


STEPS: Steps = {
    e.CallerBegan: _caller_began,
    e.CallerPartlyHeard: _caller_partly_heard,
    e.CallerSpoke: _caller_spoke,
    e.CallerSilent: _caller_silent,
    e.DigitPressed: _digit_pressed,
    e.DigitsEntered: _digits_entered,
    e.FieldFilled: _field_filled,
    e.FieldConfirmed: _field_confirmed,
    e.FieldCleared: _field_cleared,
}
