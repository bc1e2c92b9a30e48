"""What the caller said, keyed and answered, folded."""

from msgspec.structs import replace

from service.call import events as e
from service.call.draft import Draft
from service.call.folds import turns
from service.call.place import Place, Steps
from service.call.state import Field, Line

MISHEARD_MS = 800  # shorter sounds that make no words are coughs and clicks, not answers


def _caller_began(call: Draft, _fact: e.CallerBegan, _place: Place) -> None:
    call.is_caller_speaking = True


def _caller_partly_heard(call: Draft, fact: e.CallerPartlyHeard, _place: Place) -> None:
    call.is_caller_speaking = True
    call.partial_text = fact.text


def _caller_spoke(call: Draft, fact: e.CallerSpoke, place: Place) -> None:
    call.partial_text = ""
    if not fact.text and (fact.partial or fact.duration_ms < MISHEARD_MS):
        call.is_caller_speaking &= fact.partial
        return
    if fact.text:
        _add(call, fact.text, place, before=fact.before, cut=fact.partial)
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


def _add(call: Draft, text: str, place: Place, *, before: str = "", cut: bool = False) -> None:
    """Add a line of the caller's, before our own line that answers it if `before` names its prompt."""
    lines = call.lines()
    at = len(lines)
    if before:
        answers = {one.position for one in call.prompts if one.prompt == before}
        at = next((index for index, one in enumerate(lines) if one.position in answers), at)
    line = Line(place.position, "caller", text, text, cut=cut, at_ms=place.at_ms)
    lines.insert(at, line)


def _caller_silent(call: Draft, _fact: e.CallerSilent, place: Place) -> None:
    call.silences += 1
    turns.begin(call, "silence", place.position)


def _digit_pressed(call: Draft, fact: e.DigitPressed, place: Place) -> None:
    pending = call.digits_pending
    call.digits_pending = {"*": "", "#": pending}.get(fact.digit, pending + fact.digit)
    call.digit_ms = place.at_ms
    call.silences = 0


def _digits_entered(call: Draft, fact: e.DigitsEntered, place: Place) -> None:
    call.digits_pending = ""
    _add(call, fact.digits, place)
    if not call.ending:
        turns.key(call, fact.digits, place.position)
    call.half_text = ""


def _field_filled(call: Draft, fact: e.FieldFilled, place: Place) -> None:
    field = Field(
        fact.value,
        source=fact.source,
        confidence_milli=fact.confidence_milli,
        at_ms=place.at_ms,
    )
    call.fields = {**call.fields, fact.name: field}


def _field_confirmed(call: Draft, fact: e.FieldConfirmed, place: Place) -> None:
    field = call.fields.get(fact.name)
    if field is not None:
        confirmed = replace(field, confirmed=True, at_ms=place.at_ms)
        call.fields = {**call.fields, fact.name: confirmed}


def _field_cleared(call: Draft, fact: e.FieldCleared, _place: Place) -> None:
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
