"""A card number that the carrier collects itself, by its verb `<Pay>`. Pure: no digit ever comes here.

begun ──> what we say is heard ──> planned ──> the carrier has the call ──> ended: the agent's turn
  └─< again: a stream came back, and nobody had said how it went

Rules kept here (requirement S-12):

1. The restart is written before the carrier is asked, so that whoever takes the next stream goes on.
2. How it went is the carrier's to say, from outside (/twiml/paid). A stream that comes back without such a
   word begins another round, of which there are a few; then the agent goes on without.
3. While the carrier has the call it is not led back: that would cut the caller short. It comes back by itself,
   or is asked after PAY_WAIT_MS.
"""

from service.call import events as e
from service.call.events import Known
from service.call.inputs import Decision
from service.call.policy import Policy
from service.call.privacy import Collection
from service.call.private_inputs import AskPay, PayAsked
from service.call.state import Call

ROUNDS_MAX = 3  # that nobody heard of; then the caller has keyed their card often enough
BEGIN_WAIT_MS = 60_000  # all attempts to ask take half of it; then the carrier did not obey
CUT_MS_MAX = 3_000  # an order cuts the stream within 0.7 s; the cut verb's action is asked at once


def next_step(call: Call) -> Decision:
    """Have the carrier begin, once all that was to be said was heard and nobody else has the floor."""
    one = call.privacy.collection
    if one is None or one.sink != "pay" or one.is_passed or not _is_free(call):
        return Decision()
    planned = e.PayPlanned(collection=one.collection, round=one.rounds)
    return Decision((planned,), (AskPay(one.collection, one.rounds),))


def asked(call: Call, done: PayAsked, _now_ms: int, _policy: Policy) -> Decision:
    """The carrier was asked, or could not be: then the number can't be collected."""
    one = call.privacy.collection
    if done.outcome == "asked" or one is None or named(one) != name(done.collection, done.round):
        return Decision()
    missed: tuple[Known, ...] = (e.RestartMissed(),) if call.planned_cause == "dtmf" else ()
    failed = e.CollectionEnded(
        collection=one.collection, outcome="failed", detail=done.detail or done.outcome
    )
    return Decision((*missed, failed))


def name(collection: str, round_: int) -> str:
    """Return the name of one round, which the carrier's answer bears and what is under way here is called."""
    return f"{collection}.{round_}"


def named(one: Collection) -> str:
    """Return the name of the present round."""
    return name(one.collection, one.rounds)


def is_last(one: Collection) -> bool:
    """Whether no round follows this one, if nobody says how it went."""
    return one.rounds >= ROUNDS_MAX


def is_under_way(call: Call) -> bool:
    """Whether the carrier has been asked for the number, and nobody has said how it went."""
    one = call.privacy.collection
    return one is not None and one.sink == "pay" and one.is_passed


def is_beginning(call: Call, now_ms: int) -> bool:
    """Whether the carrier has been asked only just: it may ask what is next all the same."""
    is_planned = call.planned_cause is not None and now_ms - call.planned_ms < CUT_MS_MAX
    return is_planned and is_under_way(call)


def _is_free(call: Call) -> bool:
    is_all_said = not call.prompts and call.turn is None and not call.is_caller_speaking
    is_ours = call.taken_over is None and not call.ending and not call.requests
    return call.phase == "live" and is_all_said and is_ours and call.planned_cause is None
