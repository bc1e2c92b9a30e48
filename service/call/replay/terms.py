"""The policy that a call was decided by, as far as its facts tell: for recordings without one. Pure.

The terms of a tool stand in the fact that asks for it. Of the limits only so much is known as was
reached, or was not.
"""

from collections.abc import Iterable, Sequence

from service.call import events as e
from service.call.decisions.answer import NO_SUCH_TOOL
from service.call.decisions.ending import SUMMARY
from service.call.folds.fold import fold
from service.call.place import Place
from service.call.policy import Policy, ToolTerms
from service.call.state import Call

_DEFAULT = Policy()


def supposed_policy(facts: Iterable[tuple[e.AnyFact, Place]]) -> Policy:
    """Return a policy that fits the facts; where they tell nothing, the default."""
    known = list(facts)
    tools, summary_tool = _tools(known)
    drops_max, no_input_ms = _limits(known)
    return Policy(
        drops_max=drops_max,
        no_input_ms=no_input_ms,
        tools=tools,
        summary_tool=summary_tool,
        calls_back=any(
            isinstance(fact, e.CallbackRequested) and fact.by == "rule" for fact, _ in known
        ),
    )


def _tools(known: Sequence[tuple[e.AnyFact, Place]]) -> tuple[dict[str, ToolTerms], str]:
    missing = {
        fact.operation
        for fact, _ in known
        if isinstance(fact, e.OperationEnded) and fact.detail == NO_SUCH_TOOL
    }
    tools: dict[str, ToolTerms] = {}
    summary_tool = ""
    for fact, place in known:
        if isinstance(fact, e.OperationRequested) and fact.operation not in missing:
            tools.setdefault(fact.tool, _terms(fact, place.at_ms))
            if fact.operation == SUMMARY:
                summary_tool = fact.tool
    return tools, summary_tool


def _terms(fact: e.OperationRequested, at_ms: int) -> ToolTerms:
    from_ms = fact.approval_ms or at_ms
    return ToolTerms(
        is_idempotent=fact.is_idempotent,
        attempts_max=fact.attempts_max,
        timeout_ms=(fact.deadline_ms - from_ms) // max(1, fact.attempts_max),
        approval_ms=fact.approval_ms - at_ms if fact.approval_ms else 0,
    )


def _limits(known: Sequence[tuple[e.AnyFact, Place]]) -> tuple[int, int]:
    """How many drops were borne, and how long an answer was waited for."""
    call, borne = Call(), 0
    reached: list[int] = []
    waited = [_DEFAULT.no_input_ms]
    for index, (fact, place) in enumerate(known):
        if isinstance(fact, e.CallerSilent):
            waited.append(place.at_ms - call.updated_ms)
        if isinstance(fact, e.StreamAttached) and place.epoch:
            drops = call.drops_since(place.at_ms - _DEFAULT.window_ms)
            if _gave_up(known[index + 1 :], place):
                reached.append(drops)
            else:
                borne = max(borne, drops)
        call = fold(call, fact, place)
    drops_max = min(reached) - 1 if reached else max(_DEFAULT.drops_max, borne)
    return max(0, drops_max), max(0, min(waited))


def _gave_up(after: Sequence[tuple[e.AnyFact, Place]], attached: Place) -> bool:
    """Whether the limit was reached in the same write."""
    for fact, place in after:
        if (place.epoch, place.at_ms) != (attached.epoch, attached.at_ms):
            return False
        if isinstance(fact, e.DropLimitReached):
            return True
    return False
