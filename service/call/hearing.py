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
        return call if fact.partial else replace(call, is_caller_speaking=False)
    line = Line(place.position, "caller", fact.text, fact.text, cut=fact.partial, at_ms=place.at_ms)
    lines = (*call.transcript, line) if fact.text else call.transcript
    if fact.partial:
        # It may be recognised after the next stream attached: whether the caller speaks is news of then.
        return replace(call, transcript=lines, half_text=_joined(call.half_text, fact.text))
    heard = replace(call, transcript=lines, half_text="", is_caller_speaking=False)
    return heard if call.ending else _asked(heard, _turn(call, call.turns + 1, fact.text))


def _asked(call: Call, turn: Turn) -> Call:
    return replace(call, turns=turn.number, turn=turn)


def _joined(*texts: str) -> str:
    return " ".join(text for text in texts if text)


def _turn(call: Call, number: int, text: str) -> Turn:
    """What was said before the last answer came is the same turn; a greeting owed stays owed."""
    if call.turn is None:
        return Turn(number, "speech", text, call.half_text)
    before = "" if call.turn.reason == "keys" else call.turn.text
    earlier = _joined(call.turn.earlier, call.half_text)
    whole = _joined(before, text)
    if call.turn.reason in ("opening", "context_lost"):
        return Turn(number, call.turn.reason, whole, earlier)
    return Turn(number, "speech", whole, earlier)


def _digit_pressed(call: Call, fact: e.DigitPressed, place: Place) -> Call:
    pending = {"*": "", "#": call.digits_pending}.get(fact.digit, call.digits_pending + fact.digit)
    return replace(call, digits_pending=pending, digit_ms=place.at_ms)


def _digits_entered(call: Call, fact: e.DigitsEntered, place: Place) -> Call:
    line = Line(place.position, "caller", fact.digits, fact.digits, cut=False, at_ms=place.at_ms)
    lines = (*call.transcript, line)
    entered = replace(call, digits_pending="", half_text="", transcript=lines)
    if call.ending:
        return entered
    if call.turn is not None and call.turn.reason in ("opening", "context_lost"):
        return _asked(entered, _turn(call, call.turns + 1, fact.digits))
    return _asked(entered, Turn(call.turns + 1, "keys", fact.digits, call.half_text))


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
