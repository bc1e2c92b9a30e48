"""What a speech-to-speech model does, decided: it speaks, hears, calls and acts by itself. Pure.

A text agent is asked and answers; such a model answers unasked, and what it heard is known later than
what it says. So its first sound answers the open turn, and so does its call of a tool.
"""

from collections.abc import Callable
from typing import Any

from service.call import acts as a, events as e, inputs as i
from service.call.decisions.answer import NO_SUCH_TOOL, Made, spoken
from service.call.decisions.operation import OPERATIONS_MAX, requested
from service.call.events import Known
from service.call.inputs import Decision
from service.call.policy import Policy, ToolTerms
from service.call.state import Call

_NO_TERMS = ToolTerms(is_idempotent=False, attempts_max=1, timeout_ms=0)


def _spoke(call: Call, began: i.ModelSpoke, _now_ms: int, _policy: Policy) -> Decision:
    greeted = () if call.is_greeted else (e.Greeted(prompt=began.prompt),)
    prompt = e.AgentSpoke(
        prompt=began.prompt,
        clauses=(began.text,),
        turn=call.turn.number if call.turn else 0,
        voice="model",
        is_open=True,
    )
    return Decision((*greeted, prompt, *_answers(call)))


def _continued(call: Call, more: i.ModelContinued, _now_ms: int, _policy: Policy) -> Decision:
    prompt = next((one for one in call.prompts if one.prompt == more.prompt), None)
    if prompt is None or not prompt.is_open:
        return Decision()
    if prompt.clauses == (more.text,) and not more.is_last:
        return Decision()
    known = e.AgentContinued(prompt=more.prompt, clauses=(more.text,), is_last=more.is_last)
    return Decision((known,))


def _lost(call: Call, lost: i.ModelLost, _now_ms: int, _policy: Policy) -> Decision:
    if all(prompt.prompt != lost.prompt for prompt in call.prompts):
        return Decision()
    return Decision((e.SpeechCut(prompt=lost.prompt, reason="lost"),))


def _called(call: Call, called: i.ModelCalled, now_ms: int, policy: Policy) -> Decision:
    """A call is named by the model, once; one too many is dropped, as any agent's is."""
    is_known = any(one.operation == called.operation for one in call.operations)
    if is_known or len(call.operations) >= OPERATIONS_MAX:
        return Decision()
    terms = policy.tools.get(called.tool, _NO_TERMS)
    turn = max(
        1, call.turns
    )  # Operations of turn 0 are our own rules', and nobody is told of them.
    facts: list[Known] = [
        requested(called.operation, called.tool, called.arguments, turn, terms, now_ms)
    ]
    if called.tool not in policy.tools:
        facts.append(
            e.OperationEnded(operation=called.operation, status="failed", detail=NO_SUCH_TOOL)
        )
    return Decision((*_answers(call), *facts))


def _acted(call: Call, acted: i.ModelActed, now_ms: int, policy: Policy) -> Decision:
    made = Made(call, call.turns, now_ms, policy)
    for number, act in enumerate(acted.acts):
        if isinstance(act, a.SendDigits):  # One turn may send digits more than once.
            name = f"model{call.position}.{number}"
            made.facts.append(e.DigitsRequested(request=name, digits=act.digits))
        else:
            made.add(act)
    return Decision((*made.facts, *(_answers(call) if acted.is_answer else ())))


def _away(call: Call, away: i.ModelAway, _now_ms: int, _policy: Policy) -> Decision:
    return Decision((spoken(call, away.text),))


def _transcribed(_call: Call, heard: i.Transcribed, _now_ms: int, _policy: Policy) -> Decision:
    """Words that nobody could write down are no turn of ours: the model itself has heard them."""
    spoke = e.CallerSpoke(
        text=heard.text,
        duration_ms=heard.duration_ms if heard.text else 0,
        before=heard.before,
    )
    return Decision((spoke,))


def _token_given(call: Call, given: i.TokenGiven, _now_ms: int, _policy: Policy) -> Decision:
    is_news = given.token != call.resume_token
    return Decision((e.ResumeTokenKept(token=given.token),) if is_news else ())


def _answers(call: Call) -> tuple[Known, ...]:
    return () if call.turn is None else (e.TurnAnswered(turn=call.turn.number),)


STEPS: dict[type[i.Input], Callable[[Call, Any, int, Policy], Decision]] = {
    i.ModelSpoke: _spoke,
    i.ModelContinued: _continued,
    i.ModelLost: _lost,
    i.ModelCalled: _called,
    i.ModelActed: _acted,
    i.ModelAway: _away,
    i.Transcribed: _transcribed,
    i.TokenGiven: _token_given,
}
