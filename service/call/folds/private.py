"""Consent and sealed numbers, folded."""

from msgspec.structs import replace

from service.call import events as e
from service.call.draft import Draft
from service.call.folds import turns
from service.call.place import Placed, Steps
from service.call.privacy import KEYS_REST_MS, PAY_WAIT_MS, SEALED, Collected, Collection
from service.call.state import Field, Reason


def _asked(call: Draft, fact: e.ConsentAsked, _place: Placed) -> None:
    """Until it is answered the agent owes nothing."""
    call.privacy = replace(call.privacy, consent="asked", asks=fact.times)
    call.turn = None


def _given(call: Draft, _fact: e.ConsentGiven, place: Placed) -> None:
    """Now the call begins."""
    call.privacy = replace(call.privacy, consent="given")
    call.silences = 0
    _ask_nothing(call)
    reason: Reason = "context_lost" if call.is_context_lost else "opening"
    turns.begin(call, reason, place.position)


def _declined(call: Draft, _fact: e.ConsentDeclined, _place: Placed) -> None:
    call.privacy = replace(call.privacy, consent="declined")
    _ask_nothing(call)


def _ask_nothing(call: Draft) -> None:
    call.asked = ""
    call.asks = 0


def _began(call: Draft, fact: e.CollectionBegan, _place: Placed) -> None:
    collection = Collection(
        fact.collection,
        fact.field,
        fact.keys_min,
        fact.keys_max,
        fact.is_card,
        sink=fact.sink,
    )
    made = call.privacy.collections + 1
    call.privacy = replace(call.privacy, collection=collection, collections=made)
    call.silences = 0


def _pay_planned(call: Draft, fact: e.PayPlanned, place: Placed) -> None:
    one = _open(call, fact.collection)
    if one is None:
        return
    passed, until_ms = replace(one, is_passed=True), place.at_ms + PAY_WAIT_MS
    call.privacy = replace(call.privacy, collection=passed, away_until_ms=until_ms)
    call.planned_cause = fact.cause
    call.planned_ms = place.at_ms


def _masked(call: Draft, fact: e.KeysMasked, place: Placed) -> None:
    one, told = _open(call, fact.collection), call.privacy.collected
    if one is not None:
        _put(call, replace(one, keys=one.keys + fact.count, fits=fact.fits))
        call.digit_ms = place.at_ms
    elif told is not None and told.collection == fact.collection:
        call.privacy = replace(call.privacy, rest_until_ms=place.at_ms + KEYS_REST_MS)


def _restarted(call: Draft, fact: e.CollectionRestarted, place: Placed) -> None:
    one = _open(call, fact.collection)
    if one is None:
        return
    misses = one.misses + (fact.reason in ("wrong", "silence"))
    rounds = one.rounds + 1
    _put(call, replace(one, keys=0, fits=False, is_passed=False, rounds=rounds, misses=misses))
    _expect_back(call, one, place)


def _expect_back(call: Draft, one: Collection, place: Placed) -> None:
    """The carrier has the call no longer for the number: its next stream is due from now on."""
    if one.sink != "http":
        call.privacy = replace(call.privacy, away_until_ms=place.at_ms)


def _passed(call: Draft, fact: e.CollectionPassed, _place: Placed) -> None:
    one = _open(call, fact.collection)
    if one is not None:
        _put(call, replace(one, is_passed=True))


def _ended(call: Draft, fact: e.CollectionEnded, place: Placed) -> None:
    """The agent goes on: with a reference in the place of the number, or without."""
    one = _open(call, fact.collection)
    if one is None:
        return
    told = Collected(one.collection, one.field, fact.outcome, fact.reference, fact.detail)
    rest_until_ms = 0 if fact.outcome == "taken" else place.at_ms + KEYS_REST_MS
    call.privacy = replace(
        call.privacy, collection=None, collected=told, rest_until_ms=rest_until_ms
    )
    if fact.outcome == "taken":
        field = Field(fact.reference, confirmed=True, source=SEALED, at_ms=place.at_ms)
        call.fields = {**call.fields, one.field: field}
    _ask_nothing(call)
    _expect_back(call, one, place)
    if not call.ending:
        turns.begin(call, "collected", place.position)


def _open(call: Draft, name: str) -> Collection | None:
    one = call.privacy.collection
    return one if one is not None and one.collection == name else None


def _put(call: Draft, collection: Collection) -> None:
    call.privacy = replace(call.privacy, collection=collection)


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
