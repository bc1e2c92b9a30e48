"""Consent and sealed numbers, folded."""

from msgspec.structs import replace

from service.call import events as e
from service.call.folds import turns
from service.call.place import Place, Steps
from service.call.privacy import PAY_WAIT_MS, SEALED, Collected, Collection
from service.call.state import Call, Field, Reason


def _asked(call: Call, fact: e.ConsentAsked, _place: Place) -> Call:
    """Until it is answered the agent owes nothing."""
    privacy = replace(call.privacy, consent="asked", asks=fact.times)
    return replace(call, privacy=privacy, turn=None)


def _given(call: Call, _fact: e.ConsentGiven, place: Place) -> Call:
    """Now the call begins."""
    after = replace(call, privacy=replace(call.privacy, consent="given"), silences=0)
    after = replace(after, asked="", asks=0)
    reason: Reason = "context_lost" if call.is_context_lost else "opening"
    return turns.opened(after, reason, place.position)


def _declined(call: Call, _fact: e.ConsentDeclined, _place: Place) -> Call:
    return replace(call, privacy=replace(call.privacy, consent="declined"), asked="", asks=0)


def _began(call: Call, fact: e.CollectionBegan, _place: Place) -> Call:
    collection = Collection(
        fact.collection,
        fact.field,
        fact.keys_min,
        fact.keys_max,
        fact.is_card,
        sink=fact.sink,
    )
    made = call.privacy.collections + 1
    return replace(
        call, privacy=replace(call.privacy, collection=collection, collections=made), silences=0
    )


def _pay_planned(call: Call, fact: e.PayPlanned, place: Place) -> Call:
    one = _open(call, fact.collection)
    if one is None:
        return call
    after = _with(call, replace(one, is_passed=True))
    privacy = replace(after.privacy, away_until_ms=place.at_ms + PAY_WAIT_MS)
    return replace(after, privacy=privacy, planned_cause=fact.cause, planned_ms=place.at_ms)


def _masked(call: Call, fact: e.KeysMasked, place: Place) -> Call:
    one = _open(call, fact.collection)
    if one is None:
        return call
    more = replace(one, keys=one.keys + fact.count, fits=fact.fits)
    return replace(_with(call, more), digit_ms=place.at_ms)


def _restarted(call: Call, fact: e.CollectionRestarted, place: Place) -> Call:
    one = _open(call, fact.collection)
    if one is None:
        return call
    misses = one.misses + (fact.reason in ("wrong", "silence"))
    fresh = replace(one, keys=0, fits=False, is_passed=False, rounds=one.rounds + 1, misses=misses)
    return _expected_back(_with(call, fresh), one, place)


def _expected_back(call: Call, one: Collection, place: Place) -> Call:
    """The carrier has the call no longer for the number: its next stream is due from now on."""
    if one.sink == "http":
        return call
    return replace(call, privacy=replace(call.privacy, away_until_ms=place.at_ms))


def _passed(call: Call, fact: e.CollectionPassed, _place: Place) -> Call:
    one = _open(call, fact.collection)
    return call if one is None else _with(call, replace(one, is_passed=True))


def _ended(call: Call, fact: e.CollectionEnded, place: Place) -> Call:
    """The agent goes on: with a reference in the place of the number, or without."""
    one = _open(call, fact.collection)
    if one is None:
        return call
    told = Collected(one.collection, one.field, fact.outcome, fact.reference, fact.detail)
    privacy = replace(call.privacy, collection=None, collected=told)
    fields = call.fields
    if fact.outcome == "taken":
        field = Field(fact.reference, confirmed=True, source=SEALED, at_ms=place.at_ms)
        fields = {**fields, one.field: field}
    after = replace(call, privacy=privacy, fields=fields, asked="", asks=0)
    after = _expected_back(after, one, place)
    return after if call.ending else turns.opened(after, "collected", place.position)


def _open(call: Call, name: str) -> Collection | None:
    one = call.privacy.collection
    return one if one is not None and one.collection == name else None


def _with(call: Call, collection: Collection) -> Call:
    return replace(call, privacy=replace(call.privacy, collection=collection))


STEPS: Steps = {
    e.ConsentAsked: _asked,
    e.ConsentGiven: _given,
    e.ConsentDeclined: _declined,
    e.CollectionBegan: _began,
    e.PayPlanned: _pay_planned,
    e.KeysMasked: _masked,
    e.CollectionRestarted: _restarted,
    e.CollectionPassed: _passed,
    e.CollectionEnded: _ended,
}
