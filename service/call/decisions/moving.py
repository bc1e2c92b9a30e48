"""When and how a call goes to another server because this one is going down. Pure.

    Move ──> MovePlanned ──> MoveCall (the carrier) ──> the stream ends, "restart"
                                                      the next one attaches, "deploy"

What the caller hears of it is the carrier's own gap between two streams, so it is best made when
nobody speaks; the table of decisions/resume.py does the rest.
"""

from service.call import events as e, inputs as i
from service.call.inputs import Decision
from service.call.policy import Policy
from service.call.state import Call

CUT_MS_MAX = 3_000  # the carrier cuts the stream within 0.7 s of being asked, and asks back at once


def is_moving(call: Call, now_ms: int) -> bool:
    """Whether the carrier has just been asked to lead the call elsewhere."""
    return call.planned_cause == "deploy" and now_ms - call.planned_ms < CUT_MS_MAX


def is_pausing(call: Call) -> bool:
    """Whether nobody speaks or keys, and nobody is owed an answer: a gap now cuts nothing."""
    is_owed = call.turn is not None and call.taken_over is None
    is_ours_to_say = bool(call.prompts) or is_owed
    return not (call.is_caller_speaking or call.digits_pending or is_ours_to_say)


def move(call: Call, asked: i.Move, _now_ms: int, _policy: Policy) -> Decision:
    """Have the call moved, once, unless its stream is about to end anyway."""
    if call.phase != "live" or call.planned_cause is not None or call.is_ending_started:
        return Decision()
    return Decision((e.MovePlanned(),), (i.MoveCall(asked.is_alone),))
