"""Going on with an earlier call that was cut off, decided. Pure.

Nothing of it is told before the caller has said yes: until then it stands apart in the state.
"""

from service.call import events as e, inputs as i
from service.call.decisions.resume import STALE_MS
from service.call.events import Known
from service.call.inputs import Decision
from service.call.policy import Policy
from service.call.state import Call


def taken(call: Call, now_ms: int) -> tuple[Known, ...]:
    """Return the fact of going on; nothing when no earlier call waits for an answer."""
    earlier = call.earlier
    if earlier is None or earlier.standing != "open":
        return ()
    return (e.EarlierTaken(is_stale=now_ms - earlier.ended_ms >= STALE_MS),)


def declined(call: Call) -> tuple[Known, ...]:
    """Return the fact of beginning afresh; nothing when no earlier call waits for an answer."""
    is_open = call.earlier is not None and call.earlier.standing == "open"
    return (e.EarlierDeclined(),) if is_open else ()


def found(call: Call, found: i.EarlierFound, _now_ms: int, _policy: Policy) -> Decision:
    """An earlier call about the caller's ticket was found: the agent speaks of it first.

    What it was about to say, and nobody has heard a sound of yet, is not said.
    """
    if call.earlier is not None or call.ending or call.phase == "ended":
        return Decision()
    unheard = (prompt for prompt in call.prompts if not prompt.heard_samples and prompt.turn)
    cuts = (e.SpeechCut(prompt=prompt.prompt, reason="replaced") for prompt in unheard)
    return Decision((*cuts, found.carried))
