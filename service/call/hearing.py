"""What the caller said, keyed and answered, folded."""

from msgspec.structs import replace

from service.call import events as e
from service.call.place import Place, Steps
from service.call.state import Call, Field, Line, Turn

MISHEARD_MS = 800  # shorter sounds that make no words are coughs and clicks, not answers


def _caller_began(call: Call, _fact: e.CallerBegan, _place: Place) -> Call:
    return replace(call, is_caller_speaking=True)


def _caller_spoke(call: Call, fact: e.CallerSpoke, place: Place) -> Call:
    if not fact.text and (fact.partial or fact.duration_ms < MISHEARD_MS):
        return replace(call, is_caller_speaking=fact.partial)
    line = Line(place.position, "caller", fact.text, fact.text, cut=fact.partial, at_ms=place.at_ms)
    lines = (*call.transcript, line) if fact.text else call.transcript
    heard = replace(call, transcript=lines, is_caller_speaking=fact.partial)
    if fact.partial:
        return replace(heard, half_text=_joined(call.half_text, fact.text))
    turns = call.turns + 1
    return replace(heard, half_text="", turns=turns, turn=_turn(call, turns, fact.text))


def _joined(*texts: str) -> str:
    return " ".join(text for text in texts if text)


def _turn(call: Call, number: int, text: str) -> Turn:
    """What was said before the last answer came belongs to the same turn; so does a greeting owed."""
    if call.turn is None:
        return Turn(number, "speech", text, call.half_text)
    before = "" if call.turn.reason == "keys" else call.turn.text
    earlier = _joined(call.turn.earlier, call.half_text)
    whole = _joined(before, text)
    if call.turn.reason == "opening":
        return Turn(number, "opening", whole, earlier)
    return Turn(number, "speech", whole, earlier)


def _digit_pressed(call: Call, fact: e.DigitPressed, place: Place) -> Call:
    pending = {"*": "", "#": call.digits_pending}.get(fact.digit, call.digits_pending + fact.digit)
    return replace(call, digits_pending=pending, digit_ms=place.at_ms)


def _digits_entered(call: Call, fact: e.DigitsEntered, place: Place) -> Call:
    turns = call.turns + 1
    line = Line(place.position, "caller", fact.digits, fact.digits, cut=False, at_ms=place.at_ms)
    return replace(
        call,
        digits_pending="",
        transcript=(*call.transcript, line),
        turns=turns,
        turn=Turn(turns, "keys", fact.digits),
    )


def _field_filled(call: Call, fact: e.FieldFilled, _place: Place) -> Call:
    fields = {**call.fields, fact.name: Field(fact.value, source=fact.source)}
    return replace(call, fields=fields)


def _field_confirmed(call: Call, fact: e.FieldConfirmed, _place: Place) -> Call:
    field = call.fields.get(fact.name)
    if field is None:
        return call
    return replace(call, fields={**call.fields, fact.name: replace(field, confirmed=True)})


def _field_cleared(call: Call, fact: e.FieldCleared, _place: Place) -> Call:
    return replace(call, fields={k: v for k, v in call.fields.items() if k != fact.name})


STEPS: Steps = {
    e.CallerBegan: _caller_began,
    e.CallerSpoke: _caller_spoke,
    e.DigitPressed: _digit_pressed,
    e.DigitsEntered: _digits_entered,
    e.FieldFilled: _field_filled,
    e.FieldConfirmed: _field_confirmed,
    e.FieldCleared: _field_cleared,
}
