"""An agent's answer, made into facts: all acts of a turn and `TurnAnswered` in one write.

So a turn is answered wholly or not at all: a crash in between asks the agent again.
"""

from typing import assert_never

from service.call import acts as a, events as e
from service.call.clauses import clauses
from service.call.events import Known, Who
from service.call.inputs import Answered, Decision
from service.call.state import Call


def spoken(
    call: Call,
    text: str,
    *,
    asks: str = "",
    who: Who = "agent",
    request: str = "",
    further: int = 0,
) -> e.AgentSpoke:
    """Return the fact of a prompt; `further` counts prompts made in the same write before it."""
    return e.AgentSpoke(
        prompt=f"p{call.prompts_made + 1 + further}",
        clauses=clauses(text),
        asks=asks,
        who=who,
        request=request,
    )


def answered(call: Call, answer: Answered, _now_ms: int) -> Decision:
    """Return the facts of an answer, or nothing when its turn is no longer the open one."""
    if call.turn is None or call.turn.number != answer.turn:
        return Decision()
    facts: list[Known] = []
    prompts = restarts = 0
    for act in answer.acts:
        if isinstance(act, a.Say | a.Ask):
            if not act.text.strip():
                continue
            asks = act.field if isinstance(act, a.Ask) else ""
            prompt = spoken(call, act.text, asks=asks, further=prompts)
            if not call.is_greeted and not prompts:
                facts.append(e.Greeted(prompt=prompt.prompt))
            facts.append(prompt)
            prompts += 1
        elif isinstance(act, a.SendDigits):
            restarts += 1
            request = f"turn{answer.turn}" if restarts == 1 else f"turn{answer.turn}-{restarts}"
            facts.append(e.DigitsRequested(request=request, digits=act.digits))
        else:
            facts.append(_fact(act))
    return Decision((*facts, e.TurnAnswered(turn=answer.turn)))


def _fact(act: a.Fill | a.Confirm | a.Forget | a.Enter | a.Transfer | a.HangUp) -> Known:
    match act:
        case a.Fill():
            return e.FieldFilled(name=act.field, value=act.value, source=act.source)
        case a.Confirm():
            return e.FieldConfirmed(name=act.field)
        case a.Forget():
            return e.FieldCleared(name=act.field)
        case a.Enter():
            return e.StageChanged(stage=act.stage)
        case a.Transfer():
            return e.EndingPlanned(ending="transfer", to_number=act.to_number)
        case a.HangUp():
            return e.EndingPlanned(ending="hangup")
        case _:
            assert_never(act)
