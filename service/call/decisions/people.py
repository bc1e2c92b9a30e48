"""What people ask for through the API, decided: one thing at a time, oldest first. Pure."""

from typing import assert_never

from service.call import events as e, inputs as i
from service.call.decisions.answer import spoken
from service.call.decisions.caller import cut
from service.call.inputs import Decision
from service.call.policy import Policy
from service.call.state import Call, Request


def next_step(call: Call) -> Decision:
    """Begin the oldest request that may begin, or do nothing."""
    request = _next_request(call)
    if request is None:
        return Decision()
    match request.kind:
        case "digits":
            planned = e.RestartPlanned(request=request.request, cause="dtmf")
            return Decision((planned,), (i.PlayDigits(request.request, request.value),))
        case "say":
            line = spoken(call, request.value, who="human", request=request.request)
            return Decision((line,))
        case "transfer":
            ending = e.EndingPlanned(ending="transfer", to_number=request.value)
            return Decision((*cut(call, (), "replaced"), ending))
        case "hangup":
            return Decision((*cut(call, (), "replaced"), e.EndingPlanned(ending="hangup")))
        case _:
            assert_never(request.kind)


def digits_done(_call: Call, done: i.DigitsDone, _now_ms: int, _policy: Policy) -> Decision:
    """The carrier answered for the digits."""
    return Decision((e.DigitsSent(request=done.request, outcome=done.outcome, detail=done.detail),))


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
