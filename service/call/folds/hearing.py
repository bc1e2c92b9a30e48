"""What the caller said, keyed and answered, folded."""

from msgspec.structs import replace

from service.call import events as e
from service.call.folds import turns
from service.call.place import Place, Steps
from service.call.state import Call, Field, Line

MISHEARD_MS = 800  # shorter sounds that make no words are coughs and clicks, not answers


def _caller_began(call: Call, _fact: e.CallerBegan, _place: Place) -> Call:
    return replace(call, is_caller_speaking=True)


def _caller_partly_heard(call: Call, fact: e.CallerPartlyHeard, _place: Place) -> Call:
    return replace(call, is_caller_speaking=True, partial_text=fact.text)


def _caller_spoke(call: Call, fact: e.CallerSpoke, place: Place) -> Call:
    if not fact.text and (fact.partial or fact.duration_ms < MISHEARD_MS):
        is_speaking = fact.partial and call.is_caller_speaking
        return replace(call, partial_text="", is_caller_speaking=is_speaking)
    line = Line(place.position, "caller", fact.text, fact.text, cut=fact.partial, at_ms=place.at_ms)
    lines = call.transcript
    if fact.text:
        lines = _before(call, line, fact.before) if fact.before else (*lines, line)
    if fact.partial:
        # It may be recognised after the next stream attached: whether the caller speaks is news of then.
        half = turns.joined(call.half_text, fact.text)
        return replace(call, partial_text="", transcript=lines, half_text=half)
    silences = 0 if fact.text else call.silences
    heard = replace(
        call, partial_text="", transcript=lines, is_caller_speaking=False, silences=silences
    )
    if fact.backchannel:
        return heard
    if fact.before or call.ending:
        return replace(heard, half_text="")
    return replace(turns.spoken(heard, fact.text, place.position), half_text="")


def _before(call: Call, line: Line, before: str) -> tuple[Line, ...]:
    """Add a line before our own line that answers it."""
    positions = {prompt.prompt: prompt.position for prompt in call.prompts}
    at = next(
        (
            index
            for index, one in enumerate(call.transcript)
            if one.position == positions.get(before)
        ),
        len(call.transcript),
    )
    return (*call.transcript[:at], line, *call.transcript[at:])


def _caller_silent(call: Call, _fact: e.CallerSilent, place: Place) -> Call:
    silent = replace(call, silences=call.silences + 1)
    return turns.opened(silent, "silence", place.position)


def _digit_pressed(call: Call, fact: e.DigitPressed, place: Place) -> Call:
    pending = {"*": "", "#": call.digits_pending}.get(fact.digit, call.digits_pending + fact.digit)
    return replace(call, digits_pending=pending, digit_ms=place.at_ms, silences=0)


def _digits_entered(call: Call, fact: e.DigitsEntered, place: Place) -> Call:
    line = Line(place.position, "caller", fact.digits, fact.digits, cut=False, at_ms=place.at_ms)
    entered = replace(call, digits_pending="", transcript=(*call.transcript, line))
    if call.ending:
        return replace(entered, half_text="")
    return replace(turns.keyed(entered, fact.digits, place.position), half_text="")


def _field_filled(call: Call, fact: e.FieldFilled, place: Place) -> Call:
    field = Field(
        fact.value,
        source=fact.source,
        confidence_milli=fact.confidence_milli,
        at_ms=place.at_ms,
    )
    return replace(call, fields={**call.fields, fact.name: field})


def _field_confirmed(call: Call, fact: e.FieldConfirmed, place: Place) -> Call:
    field = call.fields.get(fact.name)
    if field is None:
        return call
    confirmed = replace(field, confirmed=True, at_ms=place.at_ms)
    return replace(call, fields={**call.fields, fact.name: confirmed})


def _field_cleared(call: Call, fact: e.FieldCleared, _place: Place) -> Call:
    return replace(call, fields={k: v for k, v in call.fields.items() if k != fact.name})


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
