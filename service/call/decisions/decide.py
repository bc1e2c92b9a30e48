"""The decisions: state and input in, facts and effects out. Pure.

One small function per input, found in one table. Rules kept here:

1. Facts come first; an effect is only ever done after the facts beside it are written.
2. `Greeted` is decided at most once, together with the words of the greeting.
3. An answer to a turn that is no longer the open one is dropped.
4. The end of a stream is an input, never the end of the call.
"""

from collections.abc import Callable
from typing import Any
from zlib import crc32

from service.call import events as e, inputs as i
from service.call.decisions import (
    caller,
    carrying,
    collecting,
    consent,
    ending,
    last_resort,
    model,
    moving,
    operation,
    paying,
    people,
    private,
    seats,
    talking,
)
from service.call.decisions.answer import answered, spoken
from service.call.decisions.resume import Return, resume
from service.call.events import Cause, Known
from service.call.inputs import Decision
from service.call.person_inputs import PersonBegan, PersonMissed
from service.call.policy import Policy
from service.call.state import Call

RESTART_WAIT_MS = 60_000  # a hundred digits with their pauses take 50 s; then it has not happened
CARRIER_WAIT_MS = 8_000  # Twilio asks for the next TwiML within a second; then we ask Twilio
UNSEEN_WAIT_MS = 500  # after a stream fell silent: the carrier may not know, and then never comes
CARRIER_APART_MS = 2_000  # what we ask of Twilio about five hundred calls is spread over this
UNSEEN_APART_MS = 500  # streams seldom fall silent together, and requests are paced besides
KEPT_APART = "what was said is kept outside the journal"

_DEFAULT_POLICY = Policy()


def decide(
    call: Call, happened: i.Input, now_ms: int, policy: Policy = _DEFAULT_POLICY
) -> Decision:
    """Return the facts that `happened` makes true of `call`, and the effects they call for.

    A call that has ended says no more, but its tools are seen to their end.
    """
    if call.phase == "ended" and not isinstance(happened, i.OperationDone | i.Woke | i.Settle):
        return Decision()
    if seats.is_silenced(call, happened):
        return Decision()
    step = private.step(call, happened) or _STEPS[type(happened)]
    return step(call, private.unsaid(call, happened), now_ms, policy)


def deadline_ms(
    call: Call, policy: Policy = _DEFAULT_POLICY, *, is_asking_carrier: bool = False
) -> int | None:
    """Return when `Woke` is due, or None. While the carrier is asked, it is not asked again."""
    wants = list(operation.deadlines_ms(call))
    unseen_ms = seats.deadline_ms(call)
    if unseen_ms is not None:
        wants.append(unseen_ms)
    if call.phase == "live":
        wants.extend(_live_deadlines_ms(call, policy))
    is_away = call.phase == "detached" and call.streams and not is_asking_carrier
    if is_away and call.streams[-1].detached_ms is not None:
        wants.append(_carrier_due_ms(call))
    return min(wants, default=None)


def _carrier_due_ms(call: Call) -> int:
    """What is noted, keyed or done meanwhile is no sign of the carrier, and moves nothing."""
    latest = call.streams[-1]
    away_ms = max(latest.detached_ms or 0, latest.pulled_ms, call.privacy.away_until_ms)
    return away_ms + carrier_wait_ms(call)


def keyed_until_ms(call: Call) -> int:
    """Until when the carrier keys for us, or has the caller key: to lead the call back would cut it short."""
    is_keying = call.planned_cause == "dtmf"
    keys_ms = call.planned_ms + RESTART_WAIT_MS if is_keying else 0
    return max(keys_ms, call.privacy.away_until_ms)


def carrier_wait_ms(call: Call) -> int:
    """Return how long the carrier may stay away: calls that were cut in one instant don't ask in one."""
    chance = crc32(call.call_sid.encode())
    if _is_unseen(call):
        return UNSEEN_WAIT_MS + chance % UNSEEN_APART_MS
    return CARRIER_WAIT_MS + chance % CARRIER_APART_MS


def _is_unseen(call: Call) -> bool:
    """Whether the carrier may take the stream for sound that we gave up, and was not asked yet."""
    latest = call.streams[-1] if call.streams else None
    return latest is not None and latest.reason == i.IDLE and not latest.pulled_ms


def _live_deadlines_ms(call: Call, policy: Policy) -> list[int]:
    wants = [] if call.planned_cause is None else [call.planned_ms + RESTART_WAIT_MS]
    if call.privacy.collection is not None:
        sealed_ms = collecting.deadline_ms(call, policy)
        return wants if sealed_ms is None else [*wants, sealed_ms]
    if call.digits_pending:
        wants.append(call.digit_ms + caller.KEY_PAUSE_MS)
    if caller.is_waited_for(call):
        wants.append(call.updated_ms + policy.no_input_ms)
    return wants


def _cause(call: Call, attached: i.Attached) -> Cause:
    """Why the stream before this one went, as far as anybody can know."""
    if not call.streams:
        return "new"
    if call.planned_cause is not None:
        return call.planned_cause
    last = call.streams[-1]
    if last.detached_ms is not None and last.reason != "replaced":
        return "deploy" if last.reason == "shutdown" else "drop"
    if attached.door == "voice":
        return "duplicate"
    return "drop" if attached.is_live_here else "crash"


def _attached(call: Call, attached: i.Attached, now_ms: int, policy: Policy) -> Decision:
    lost = attached.lost or (KEPT_APART if call.is_opened_apart() else "")
    facts: list[Known] = [
        e.StreamAttached(
            stream_sid=attached.stream_sid,
            cause="crash" if lost else _cause(call, attached),
            gap_ms=attached.gap_ms,
            server=attached.server,
            gap_heard_ms=attached.gap_heard_ms,
        )
    ]
    facts.extend(_refused_parameters(call, attached))
    facts.extend(_left_behind(call, attached, now_ms))
    if not call.is_known() and not lost:
        return Decision((*facts, *consent.opened(call, policy)))
    back = Return(
        call,
        attached.gap_ms,
        now_ms,
        lost,
        policy,
        is_held_here=attached.is_held_here,
        heard_ms=attached.gap_heard_ms,
        is_asking=_is_asking(call, attached),
    )
    plan = resume(back)
    if plan.row == "lost":
        facts.append(e.ContextLost(reason=lost))
    if plan.row == "collecting":
        facts.extend(
            private.forgotten(call, is_held_here=attached.is_held_here, is_asking=back.is_asking)
        )
    if plan.row == "last_resort":
        drops = call.drops_since(now_ms - policy.window_ms)
        return Decision((*facts, *last_resort.reached(call, drops, policy)), (i.LastResort(),))
    if plan.line:
        facts.append(spoken(call, plan.line, asks=plan.asks))
    if plan.row == "lost":
        facts.extend(consent.opened(call, policy, further=1))
    return Decision(tuple(facts))


def _is_asking(call: Call, attached: i.Attached) -> bool:
    one = call.privacy.collection
    return one is not None and paying.named(one) in attached.running


def _left_behind(call: Call, attached: i.Attached, now_ms: int) -> list[Known]:
    """What the process that held the call before had begun, and can't tell of any more."""
    facts: list[Known] = [
        e.DigitsSent(request=request.request, outcome="unknown")
        for request in call.requests
        if request.is_started and request.request not in attached.running
    ]
    if call.partial_text and not attached.is_held_here:
        facts.append(e.CallerSpoke(text=call.partial_text, partial=True))
    return [*facts, *operation.orphaned(call, attached, now_ms)]


def _refused_parameters(call: Call, attached: i.Attached) -> list[Known]:
    """The server's copy wins; another value is recorded, once per stream, and ignored."""
    return [
        e.ParameterRefused(name=name, offered=attached.parameters[name][:500])
        for name, value in call.parameters.items()
        if name in attached.parameters
        and attached.parameters[name] != value
        and not value.startswith(attached.parameters[name] or "\0")
    ]


def _detached(call: Call, detached: i.Detached, _now_ms: int, _policy: Policy) -> Decision:
    reason = detached.reason if call.planned_cause is None else "restart"
    gone = e.StreamDetached(
        stream_sid=detached.stream_sid, reason=reason, last_media_ms=detached.last_media_ms
    )
    return Decision((*caller.advanced(call, detached.played), gone))


def _progress(call: Call, progress: i.Progress, _now_ms: int, _policy: Policy) -> Decision:
    return Decision(caller.advanced(call, progress.played))


def _measured(_call: Call, measured: i.Measured, _now_ms: int, _policy: Policy) -> Decision:
    told = e.LevelsMeasured(at_ms=measured.at_ms, caller=measured.caller, ours=measured.ours)
    return Decision((told,))


def _carrier_says(_call: Call, says: i.CarrierSays, _now_ms: int, _policy: Policy) -> Decision:
    if says.is_over:
        return Decision((e.CallEnded(reason=says.outcome),))
    return Decision((e.PulledBack(outcome=says.outcome),))


def _woke(call: Call, _woke: i.Woke, now_ms: int, policy: Policy) -> Decision:
    of_tools = operation.woke(call, now_ms)
    if of_tools.facts or call.phase == "ended":
        return of_tools
    of_seats = seats.woke(call, now_ms)
    if of_seats.facts:
        return of_seats
    if call.phase == "detached":
        is_due = bool(call.streams) and now_ms >= _carrier_due_ms(call)
        return Decision(effects=(i.AskCarrier(),) if is_due else ())
    if call.planned_cause is not None and now_ms >= call.planned_ms + RESTART_WAIT_MS:
        return Decision((e.RestartMissed(),))
    if call.privacy.is_private:
        return private.woke(call, now_ms, policy)
    if call.digits_pending and now_ms >= call.digit_ms + caller.KEY_PAUSE_MS:
        return Decision((e.DigitsEntered(digits=call.digits_pending, ended_by="pause"),))
    if caller.is_waited_for(call) and now_ms >= call.updated_ms + policy.no_input_ms:
        return ending.silent(call)
    return Decision()


def _settle(call: Call, settle: i.Settle, now_ms: int, policy: Policy) -> Decision:
    """What follows from the state alone: one thing at a time, until nothing does."""
    dispatch = operation.next_dispatch(call, now_ms)
    if dispatch.facts or call.phase == "ended":
        return dispatch
    seated = seats.next_step(call, settle.played)
    if seated.facts:
        return seated
    asked = people.next_step(call)
    if asked.facts:
        return asked
    paid = paying.next_step(call)
    return paid if paid.facts else ending.next_step(call, now_ms, policy)


_STEPS: dict[type[i.Input], Callable[[Call, Any, int, Policy], Decision]] = {
    i.Attached: _attached,
    i.Detached: _detached,
    i.Progress: _progress,
    i.Measured: _measured,
    i.SpeechBegan: caller.speech_began,
    i.PartlyHeard: caller.partly_heard,
    i.BargedIn: caller.barged_in,
    i.Utterance: caller.utterance,
    i.Key: caller.key,
    i.Answered: answered,
    i.OperationDone: operation.done,
    i.DigitsDone: people.digits_done,
    i.EndingDone: ending.done,
    i.EndingImpossible: ending.impossible,
    i.CarrierSays: _carrier_says,
    i.EarlierFound: carrying.found,
    PersonBegan: talking.began,
    PersonMissed: talking.missed,
    **model.STEPS,
    **private.STEPS,
    i.Move: moving.move,
    i.Woke: _woke,
    i.Settle: _settle,
}
