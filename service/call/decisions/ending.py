"""How a call ends, decided: the farewell is heard, a person is told what it was about, then it ends. Pure.

planned ──> all said and heard ──> (transfer: summary asked for) ──> started ──> ended
                                                                       └──> refused ──> on, or farewell
"""

from service.call import events as e, inputs as i
from service.call.decisions import operation
from service.call.decisions.answer import spoken
from service.call.decisions.paying import is_under_way
from service.call.decisions.summary import summary
from service.call.inputs import Decision
from service.call.policy import Policy
from service.call.state import Call

SILENCES_MAX = 4  # four questions and forty seconds later nobody is there
SILENT_LINE = "I can't hear you, so I will end this call now. Please call again. Goodbye."
UNDIALABLE_LINE = (
    "I'm sorry, I can't put you through to anybody on this line. I can go on helping you here."
)
LAST_RESORT_LINE = (
    "I'm sorry, I can't go on here, and I can't put you through to anybody on this line. "
    "Please try again later, or call us by phone. Goodbye."
)
SUMMARY = "summary"  # the operation that tells a person what the call was about


def silent(call: Call) -> Decision:
    """Let the agent ask again; in the end nobody is there, and the line is freed."""
    if call.silences < SILENCES_MAX:
        return Decision((e.CallerSilent(),))
    return Decision((spoken(call, SILENT_LINE), e.EndingPlanned(ending="hangup")))


def next_step(call: Call, now_ms: int, policy: Policy) -> Decision:
    """Take the next step of an ending, once all that was to be said was heard."""
    is_all_said = not call.prompts and call.turn is None
    # A number that the carrier is collecting is waited for by nobody who would end the call.
    is_away = call.phase == "detached" and is_under_way(call)
    is_all_done = not call.requests and (call.planned_cause is None or is_away)
    if not call.ending or not is_all_said or not is_all_done or call.is_ending_started:
        return Decision()
    if call.ending == "hangup":
        return Decision((e.EndingStarted(),), (i.EndCall(),))
    terms = policy.tools.get(policy.summary_tool)
    # Whom nobody can be dialled for is announced to nobody.
    if (
        terms is not None
        and not call.is_from_page
        and all(one.operation != SUMMARY for one in call.operations)
    ):
        tool, arguments = policy.summary_tool, summary(call)
        return Decision((operation.requested(SUMMARY, tool, arguments, 0, terms, now_ms),))
    return Decision((e.EndingStarted(),), (i.TransferCall(call.ending_to),))


def done(call: Call, done: i.EndingDone, _now_ms: int, _policy: Policy) -> Decision:
    """The carrier answered for the ending."""
    if call.ending == "transfer" and not done.is_gone:
        return Decision((e.CallEnded(reason="transferred"),))
    ours = "drop_limit" if call.is_drop_limited else "hung_up"
    return Decision((e.CallEnded(reason=done.detail or ours),))


def impossible(call: Call, refused: i.EndingImpossible, _now_ms: int, _policy: Policy) -> Decision:
    """Nobody can be dialled: tell the caller and go on, or end the call where there is no other way.

    While a person has the agent's place it is theirs to tell; they see what was refused.
    """
    is_last_resort = call.is_last_resort or call.is_drop_limited
    if call.ending == "hangup" or not (call.ending or is_last_resort):
        return Decision()
    line = LAST_RESORT_LINE if is_last_resort else UNDIALABLE_LINE
    said = () if call.taken_over is not None else (spoken(call, line),)
    farewell = (e.EndingPlanned(ending="hangup"),) if is_last_resort else ()
    return Decision((e.EndingRefused(detail=refused.detail), *said, *farewell))
