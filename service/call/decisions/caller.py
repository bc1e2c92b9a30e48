"""What the caller does, decided: they speak, speak over us, press keys, or say nothing. Pure.

Whose floor it is when both speak is judged in floor.py; here it is acted on. What is cut is cut to what
was heard. Only words cut us short: a cough or an "mm-hm" does not, and our sentence goes on.
"""

from service.call import events as e, inputs as i
from service.call.decisions import floor
from service.call.decisions.talking import is_live
from service.call.events import Known
from service.call.inputs import Decision
from service.call.policy import Policy
from service.call.state import Call

KEY_PAUSE_MS = 5_000  # between two keys people take up to four seconds to look a number up
DIGITS_PENDING_MAX = 64  # longer than any ticket, account or card number that is keyed


def speech_began(call: Call, _began: i.SpeechBegan, _now_ms: int, _policy: Policy) -> Decision:
    """The caller began to speak."""
    return Decision(() if call.is_caller_speaking else (e.CallerBegan(),))


def cut(call: Call, played: tuple[e.Played, ...], reason: str) -> tuple[Known, ...]:
    """How far each prompt got, and that the rest of it is given up, but for a live voice's."""
    cuts = (
        e.SpeechCut(prompt=prompt.prompt, reason=reason)
        for prompt in call.prompts
        if not is_live(prompt)
    )
    return (*advanced(call, played), *cuts)


def barged_in(call: Call, barged: i.BargedIn, _now_ms: int, _policy: Policy) -> Decision:
    """The caller speaks over us, and means it."""
    if call.ending:
        return Decision()  # A farewell is said to its end, else nobody would ever hang up.
    return Decision(cut(call, barged.played, "barge_in"))


def partly_heard(call: Call, heard: i.PartlyHeard, _now_ms: int, _policy: Policy) -> Decision:
    """So much is known of what the caller is saying."""
    is_news = bool(heard.text) and heard.text != call.partial_text
    return Decision((e.CallerPartlyHeard(text=heard.text),) if is_news else ())


def utterance(call: Call, said: i.Utterance, _now_ms: int, _policy: Policy) -> Decision:
    """Words cut ours short, unless they are an "mm-hm" that asks for nothing."""
    is_over_us = bool(call.prompts and said.text and not said.is_partial and not call.ending)
    is_backchannel = is_over_us and floor.is_backchannel(call, said.text)
    spoke = e.CallerSpoke(
        text=said.text,
        confidence_milli=said.confidence_milli,
        duration_ms=said.duration_ms,
        partial=said.is_partial,
        backchannel=is_backchannel,
    )
    if is_over_us and not is_backchannel:
        return Decision((*cut(call, said.played, "barge_in"), spoke))
    return Decision((*advanced(call, said.played), spoke))


def key(call: Call, pressed: i.Key, _now_ms: int, _policy: Policy) -> Decision:
    """The caller pressed a key: it cuts us short, and completes a row or adds to it."""
    before = () if call.ending else cut(call, pressed.played, "key")
    fact = e.DigitPressed(digit=pressed.digit)
    if pressed.digit == "#" and call.digits_pending:
        entered = e.DigitsEntered(digits=call.digits_pending, ended_by="hash")
        return Decision((*before, fact, entered))
    if len(call.digits_pending) >= DIGITS_PENDING_MAX and pressed.digit != "*":
        entered = e.DigitsEntered(digits=call.digits_pending, ended_by="limit")
        return Decision((*before, entered, fact))
    return Decision((*before, fact))


def advanced(call: Call, played: tuple[e.Played, ...]) -> tuple[e.Played, ...]:
    """Only what says something new about a prompt that is still open."""
    known = {prompt.prompt: prompt for prompt in call.prompts}
    return tuple(
        one
        for one in played
        if one.prompt in known
        and (one.clauses, one.heard_samples)
        != (known[one.prompt].clauses_heard, known[one.prompt].heard_samples)
    )


def is_waited_for(call: Call) -> bool:
    """Whether we asked something, were heard to the end, and nothing else is under way."""
    return bool(
        call.asked
        and call.turn is None
        and not call.prompts
        and not call.is_caller_speaking
        and not call.digits_pending
        and not call.ending
        and call.taken_over is None
        and call.planned_cause is None
        and all(one.approval == "asked" for one in call.pending())
    )
