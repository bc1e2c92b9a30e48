"""What becomes of inputs while nothing of the caller's may be written. Pure."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from service.call import events as e, inputs as i
from service.call.decisions import caller, collecting, consent, paying
from service.call.decisions.resume import is_number_lost
from service.call.events import Known
from service.call.inputs import Decision
from service.call.policy import Policy
from service.call.private_inputs import Collected, PayAsked, Sealed
from service.call.state import Call

Step = Callable[[Call, Any, int, Policy], Decision]


def step(call: Call, happened: i.Input) -> Step | None:
    """Return what decides on this input instead of what else would; None when nothing is private."""
    if not call.privacy.is_private:
        return _rest if isinstance(happened, i.Key) and call.privacy.rest_until_ms else None
    steps = _CONSENT if call.privacy.collection is None else _COLLECTING
    return steps.get(type(happened))


def unsaid(call: Call, happened: i.Input) -> i.Input:
    """Return an input without the words that were begun while they were private, and told of later."""
    if isinstance(happened, i.Utterance) and happened.is_sealed and not call.privacy.is_private:
        return replace(happened, text="", duration_ms=0)
    return happened


def forgotten(call: Call, *, is_held_here: bool, is_asking: bool = False) -> tuple[Known, ...]:
    """Return what a drop does to a sealed number: it is begun again. For the keywords see `Return`."""
    one = call.privacy.collection
    if one is None or not is_number_lost(call, is_held_here=is_held_here, is_asking=is_asking):
        return ()
    return collecting.begun_again(one, "drop")


def woke(call: Call, now_ms: int, policy: Policy) -> Decision:
    """Return what is due while something is private."""
    if call.privacy.collection is not None:
        return collecting.woke(call, now_ms, policy)
    is_due = caller.is_waited_for(call) and now_ms >= call.updated_ms + policy.no_input_ms
    return (
        consent.silent(call, policy) if is_due and call.privacy.consent == "asked" else Decision()
    )


def _nothing(_call: Call, _happened: i.Input, _now_ms: int, _policy: Policy) -> Decision:
    return Decision()


def _masked_key(call: Call, pressed: i.Key, now_ms: int, policy: Policy) -> Decision:
    """A key that was not put under seal is not written either; it counts for nothing."""
    return collecting.keyed(call, Sealed(0, mark="", played=pressed.played), now_ms, policy)


def _rest(call: Call, pressed: i.Key, now_ms: int, policy: Policy) -> Decision:
    """The number was given up amid its digits. What is keyed on is of it, and neither written nor an answer."""
    told = call.privacy.collected
    if told is None or now_ms >= call.privacy.rest_until_ms:
        return caller.key(call, pressed, now_ms, policy)
    masked = e.KeysMasked(collection=told.collection, count=1, fits=False)
    return Decision((*caller.advanced(call, pressed.played), masked))


_QUIET: dict[type[i.Input], Step] = {
    i.PartlyHeard: _nothing,
    i.Transcribed: _nothing,
    i.Measured: _nothing,
}
_CONSENT: dict[type[i.Input], Step] = {
    **_QUIET,
    i.Utterance: consent.heard,
    i.Key: consent.keyed,
}
_COLLECTING: dict[type[i.Input], Step] = {
    **_QUIET,
    i.Utterance: collecting.heard,
    i.Key: _masked_key,
}
STEPS: dict[type[i.Input], Step] = {
    Sealed: collecting.keyed,
    Collected: collecting.done,
    PayAsked: paying.asked,
}
