"""The decisions: state and input in, facts and effects out. Pure.

One small function per input, found in one table. Rules kept here:

1. Facts come first; an effect is only ever done after the facts beside it are written.
2. `Greeted` is decided at most once, together with the words of the greeting.
3. An answer to a turn that is no longer the open one is dropped.
4. The end of a stream is an input, never the end of the call.
"""

from collections.abc import Callable
from typing import Any, assert_never

from service.call import events as e, inputs as i
from service.call.answer import answered, spoken
from service.call.events import Cause, Known
from service.call.inputs import Decision
from service.call.resume import Limits, Return, resume
from service.call.state import Call, Request

KEY_PAUSE_MS = 5_000  # between two keys people take up to four seconds to look a number up
DIGITS_PENDING_MAX = 64  # longer than any ticket, account or card number that is keyed
RESTART_WAIT_MS = 60_000  # a hundred digits with their pauses take 50 s; then it has not happened
CARRIER_WAIT_MS = 8_000  # Twilio asks for the next TwiML within a second; then we ask Twilio

_DEFAULT_LIMITS = Limits()


def decide(
    call: Call, happened: i.Input, now_ms: int, limits: Limits = _DEFAULT_LIMITS
) -> Decision:
    """Return the facts that `happened` makes true of `call`, and the effects they call for."""
    if call.phase == "ended":
        return Decision()
    if isinstance(happened, i.Attached):
        return _attached(call, happened, now_ms, limits)
    return _STEPS[type(happened)](call, happened, now_ms)


def deadline_ms(call: Call) -> int | None:
    """Return when `Woke` is due, or None."""
    if call.phase == "live":
        return min(_live_deadlines_ms(call), default=None)
    if call.phase == "detached" and call.streams and call.streams[-1].detached_ms is not None:
        return max(call.streams[-1].detached_ms, call.updated_ms) + CARRIER_WAIT_MS
    return None


def _live_deadlines_ms(call: Call) -> list[int]:
    wants = [call.digit_ms + KEY_PAUSE_MS] if call.digits_pending else []
    if call.planned_cause is not None:
        wants.append(call.planned_ms + RESTART_WAIT_MS)
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


def _attached(call: Call, attached: i.Attached, now_ms: int, limits: Limits) -> Decision:
    facts: list[Known] = [
        e.StreamAttached(
            stream_sid=attached.stream_sid,
            cause=_cause(call, attached) if not attached.lost else "crash",
            gap_ms=attached.gap_ms,
            server=attached.server,
        )
    ]
    facts.extend(_refused_parameters(call, attached))
    facts.extend(
        e.DigitsSent(request=request.request, outcome="unknown")
        for request in call.requests
        if request.is_started and request.request not in attached.running
    )
    if not call.is_known() and not attached.lost:
        return Decision(tuple(facts))
    plan = resume(Return(call, attached.gap_ms, now_ms, attached.lost, limits))
    if plan.row == "lost":
        facts.append(e.ContextLost(reason=attached.lost))
    if plan.row == "last_resort":
        drops = call.drops_since(now_ms - limits.window_ms)
        return Decision((*facts, e.DropLimitReached(drops=drops)), (i.LastResort(),))
    if plan.line:
        facts.append(spoken(call, plan.line))
    return Decision(tuple(facts))


def _refused_parameters(call: Call, attached: i.Attached) -> list[Known]:
    """The server's copy wins; another value is recorded, once per stream, and ignored."""
    return [
        e.ParameterRefused(name=name, offered=attached.parameters[name][:500])
        for name, value in call.parameters.items()
        if name in attached.parameters
        and attached.parameters[name] != value
        and not value.startswith(attached.parameters[name] or "\0")
    ]


def _detached(call: Call, detached: i.Detached, _now_ms: int) -> Decision:
    reason = detached.reason if call.planned_cause is None else "restart"
    gone = e.StreamDetached(
        stream_sid=detached.stream_sid, reason=reason, last_media_ms=detached.last_media_ms
    )
    return Decision((*_advanced(call, detached.played), gone))


def _advanced(call: Call, played: tuple[e.Played, ...]) -> tuple[e.Played, ...]:
    """Only what says something new about a prompt that is still open."""
    known = {prompt.prompt: prompt for prompt in call.prompts}
    return tuple(
        one
        for one in played
        if one.prompt in known
        and (one.clauses, one.heard_samples)
        != (known[one.prompt].clauses_heard, known[one.prompt].heard_samples)
    )


def _progress(call: Call, progress: i.Progress, _now_ms: int) -> Decision:
    return Decision(_advanced(call, progress.played))


def _speech_began(call: Call, _began: i.SpeechBegan, _now_ms: int) -> Decision:
    return Decision(() if call.is_caller_speaking else (e.CallerBegan(),))


def _cut(call: Call, played: tuple[e.Played, ...], reason: str) -> tuple[Known, ...]:
    cuts = (e.SpeechCut(prompt=prompt.prompt, reason=reason) for prompt in call.prompts)
    return (*_advanced(call, played), *cuts)


def _barged_in(call: Call, barged: i.BargedIn, _now_ms: int) -> Decision:
    if call.ending:
        return Decision()  # A farewell is said to its end, else nobody would ever hang up.
    return Decision(_cut(call, barged.played, "barge_in"))


def _utterance(_call: Call, said: i.Utterance, _now_ms: int) -> Decision:
    spoke = e.CallerSpoke(
        text=said.text,
        confidence_milli=said.confidence_milli,
        duration_ms=said.duration_ms,
        partial=said.is_partial,
    )
    return Decision((spoke,))


def _key(call: Call, key: i.Key, _now_ms: int) -> Decision:
    cut = () if call.ending else _cut(call, key.played, "key")
    pressed = e.DigitPressed(digit=key.digit)
    if key.digit == "#" and call.digits_pending:
        entered = e.DigitsEntered(digits=call.digits_pending, ended_by="hash")
        return Decision((*cut, pressed, entered))
    if len(call.digits_pending) >= DIGITS_PENDING_MAX and key.digit != "*":
        entered = e.DigitsEntered(digits=call.digits_pending, ended_by="limit")
        return Decision((*cut, entered, pressed))
    return Decision((*cut, pressed))


def _digits_done(_call: Call, done: i.DigitsDone, _now_ms: int) -> Decision:
    return Decision((e.DigitsSent(request=done.request, outcome=done.outcome, detail=done.detail),))


def _ending_done(call: Call, done: i.EndingDone, _now_ms: int) -> Decision:
    if call.ending == "transfer" and not done.is_gone:
        return Decision((e.CallEnded(reason="transferred"),))
    return Decision((e.CallEnded(reason=done.detail or "hung_up"),))


def _carrier_says(_call: Call, says: i.CarrierSays, _now_ms: int) -> Decision:
    if says.is_over:
        return Decision((e.CallEnded(reason=says.outcome),))
    return Decision((e.PulledBack(outcome=says.outcome),))


def _woke(call: Call, _woke: i.Woke, now_ms: int) -> Decision:
    due_ms = deadline_ms(call)
    if due_ms is None or now_ms < due_ms:
        return Decision()
    if call.phase == "detached":
        return Decision(effects=(i.AskCarrier(),))
    if call.planned_cause is not None and now_ms >= call.planned_ms + RESTART_WAIT_MS:
        return Decision((e.RestartMissed(),))
    return Decision((e.DigitsEntered(digits=call.digits_pending, ended_by="pause"),))


def _settle(call: Call, _settle: i.Settle, _now_ms: int) -> Decision:
    """What follows from the state alone: one thing at a time, until nothing does."""
    request = _next_request(call)
    if request is not None:
        match request.kind:
            case "digits":
                planned = e.RestartPlanned(request=request.request, cause="dtmf")
                return Decision((planned,), (i.PlayDigits(request.request, request.value),))
            case "say":
                return Decision(
                    (spoken(call, request.value, who="human", request=request.request),)
                )
            case "transfer":
                cut = _cut(call, (), "replaced")
                return Decision((*cut, e.EndingPlanned(ending="transfer", to_number=request.value)))
            case "hangup":
                return Decision((*_cut(call, (), "replaced"), e.EndingPlanned(ending="hangup")))
            case _:
                assert_never(request.kind)
    is_all_said = not call.prompts and call.turn is None
    is_all_done = not call.requests and call.planned_cause is None
    if call.ending and is_all_said and is_all_done and not call.is_ending_started:
        effect = i.EndCall() if call.ending == "hangup" else i.TransferCall(call.ending_to)
        return Decision((e.EndingStarted(),), (effect,))
    return Decision()


def _next_request(call: Call) -> Request | None:
    """The oldest not begun. Digits wait for those before them: a second restart would cut the first."""
    is_restarting = call.planned_cause is not None or any(one.is_started for one in call.requests)
    return next(
        (
            one
            for one in call.requests
            if not one.is_started and not (one.kind == "digits" and is_restarting)
        ),
        None,
    )


_STEPS: dict[type[i.Input], Callable[[Call, Any, int], Decision]] = {
    i.Detached: _detached,
    i.Progress: _progress,
    i.SpeechBegan: _speech_began,
    i.BargedIn: _barged_in,
    i.Utterance: _utterance,
    i.Key: _key,
    i.Answered: answered,
    i.DigitsDone: _digits_done,
    i.EndingDone: _ending_done,
    i.CarrierSays: _carrier_says,
    i.Woke: _woke,
    i.Settle: _settle,
}
