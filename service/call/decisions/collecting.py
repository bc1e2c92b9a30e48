"""A number that nobody but the sink may know, collected key by key. Pure: no digit ever comes here.

begun ──> masked keys ──> hash, the last key, or a pause ──> passed ──> ended: the agent's turn
  └─< again from the first digit: a drop, the star, a wrong number, silence

Rules kept here (requirement S-12):

1. What is keyed or said meanwhile is written nowhere; how many keys came is.
2. What a drop interrupts is not kept for later: it is asked for again, and the caller is told why.
3. After three rounds that went wrong the agent goes on without.
4. Of a number that the carrier collects (paying.py) not even how many keys came is known here.
"""

import re

from service.call import events as e, inputs as i
from service.call.decisions import caller, paying
from service.call.decisions.answer import spoken
from service.call.events import Known
from service.call.inputs import Decision
from service.call.policy import Policy
from service.call.privacy import DROP_LINE, KEY_LINE, PAY_LINE, Again, Collection
from service.call.private_inputs import Collected, PassOn, Sealed
from service.call.state import Call

MISSES_MAX = 3  # rounds that went wrong by the caller; then they would rather do something else
STAR_LINE = "All right, from the first digit, please."
WRONG_LINE = (
    "That does not seem to be the whole number. Please key it in again, from the first digit."
)
CALLER_STOPPED = "the caller would rather not"

_STOPPING = re.compile(
    r"\b(stop|cancel|no|nope|don'?t|rather not|operator|agent|human|somebody|help)\b", re.IGNORECASE
)
_LINES: dict[Again, str] = {
    "drop": DROP_LINE,
    "star": STAR_LINE,
    "wrong": WRONG_LINE,
    "silence": KEY_LINE,
}


def keyed(call: Call, sealed: Sealed, _now_ms: int, _policy: Policy) -> Decision:
    """Keys came under seal."""
    one = call.privacy.collection
    heard: tuple[Known, ...] = (e.CallerSpoke(text=""),) if sealed.is_spoken else ()
    if one is None or one.is_passed:
        return Decision(heard)
    if one.sink == "pay":  # The carrier does not listen yet: keys are too early, and cut nothing.
        return Decision((*caller.advanced(call, sealed.played), *heard))
    before: tuple[Known, ...] = (*caller.cut(call, sealed.played, "key"), *heard)
    if sealed.mark in ("star", "drop"):
        return Decision((*before, *again(call, one, sealed.mark)))
    facts: list[Known] = [*before]
    if sealed.count:
        facts.append(e.KeysMasked(collection=one.collection, count=sealed.count, fits=sealed.fits))
    keys = one.keys + sealed.count
    if sealed.mark == "end" or keys >= one.keys_max:
        return _whole(call, facts, keys, fits=sealed.fits)
    return Decision(tuple(facts))


def heard(call: Call, said: i.Utterance, _now_ms: int, _policy: Policy) -> Decision:
    """The caller said something that holds no digit. Only that they want out is taken up."""
    one = call.privacy.collection
    quiet: tuple[Known, ...] = (*caller.advanced(call, said.played), e.CallerSpoke(text=""))
    is_out = not said.is_partial and _STOPPING.search(said.text)
    if one is None or one.is_passed or not is_out:
        return Decision(quiet)
    return Decision((*quiet, *_given_up(one, CALLER_STOPPED)))


def woke(call: Call, now_ms: int, policy: Policy) -> Decision:
    """A pause after keys ends the number; without keys it is asked for again."""
    one = call.privacy.collection
    due_ms = deadline_ms(call, policy)
    if one is None or due_ms is None or now_ms < due_ms:
        return Decision()
    if one.sink == "pay":
        return Decision(again(call, one, "drop"))
    if one.keys:
        return _whole(call, [], one.keys, fits=one.fits)
    return Decision(again(call, one, "silence"))


def deadline_ms(call: Call, policy: Policy) -> int | None:
    """Return when `woke` is due; None while we speak, and while the sink is asked.

    A carrier that was asked, and whose stream goes on all the same, has not obeyed.
    """
    one = call.privacy.collection
    if one is None or call.phase != "live" or call.ending:
        return None
    if one.sink == "pay":
        return call.planned_ms + paying.BEGIN_WAIT_MS if one.is_passed else None
    if one.is_passed:
        return None
    if one.keys:
        return call.digit_ms + caller.KEY_PAUSE_MS
    is_quiet = not (call.prompts or call.is_caller_speaking or call.turn)
    return call.updated_ms + policy.no_input_ms if is_quiet else None


def done(call: Call, done: Collected, _now_ms: int, _policy: Policy) -> Decision:
    """The sink has answered; for a round that is not the present one it says nothing."""
    one = call.privacy.collection
    if one is None or (one.collection, one.rounds) != (done.collection, done.round):
        return Decision()
    return Decision(
        (
            e.CollectionEnded(
                collection=one.collection,
                outcome=done.outcome,
                reference=done.reference,
                detail=done.detail,
            ),
        )
    )


def again(call: Call, one: Collection, reason: Again) -> tuple[Known, ...]:
    """Forget all digits and ask for them again, unless that has gone wrong too often."""
    facts = begun_again(one, reason)
    if is_last(one, reason) or call.taken_over is not None:  # Then it is a person's to say.
        return facts
    line = PAY_LINE if one.sink == "pay" else _LINES[reason]
    return (*facts, spoken(call, line, asks=one.field))


def begun_again(one: Collection, reason: Again) -> tuple[Known, ...]:
    """Return what becomes of a round that went wrong, without a word about it: another one, or the end."""
    if is_last(one, reason):
        return _given_up(one, f"{MISSES_MAX} rounds went wrong")
    return (e.CollectionRestarted(collection=one.collection, reason=reason),)


def is_last(one: Collection, reason: Again) -> bool:
    """Whether no round follows this one. How those at the carrier went wrong nobody can tell."""
    if one.sink == "pay":
        return paying.is_last(one)
    return reason in ("wrong", "silence") and one.misses + 1 >= MISSES_MAX


def _given_up(one: Collection, detail: str) -> tuple[Known, ...]:
    return (e.CollectionEnded(collection=one.collection, outcome="given_up", detail=detail),)


def _whole(call: Call, facts: list[Known], keys: int, *, fits: bool) -> Decision:
    one = call.privacy.collection
    assert one is not None
    if keys < one.keys_min or not fits:
        return Decision((*facts, *again(call, one, "wrong")))
    passed = e.CollectionPassed(collection=one.collection, keys=keys)
    return Decision((*facts, passed), (PassOn(one.collection, one.field, one.rounds),))
