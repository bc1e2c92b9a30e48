"""What an agent or a model did, read from the facts that its acts became. Pure."""

from collections.abc import Callable, Iterator
from typing import Any

from service.call import acts as a, events as e, inputs as i
from service.call.decisions.answer import NO_SUCH_TOOL
from service.call.decisions.ending import SUMMARY
from service.call.events import Known
from service.call.replay.reading import Reading, Write

WORDS = (e.Greeted, e.AgentSpoke)
ACTS = (
    *WORDS, e.FieldFilled, e.FieldConfirmed, e.FieldCleared, e.StageChanged, e.DigitsRequested,
    e.OperationRequested, e.OperationEnded, e.EarlierTaken, e.EarlierDeclined, e.EndingPlanned,
)  # fmt: skip
PLACE_DIGITS_MAX = 3  # no turn has a thousand acts
_TRACELESS = a.Say("")


def read_answer(write: Write) -> Iterator[Reading]:
    """An agent's answer, or what a model did by itself. One that goes on has left words alone."""
    places, closing = _group(write)
    facts = [write.facts[place] for place in places]
    turn = _turn(facts, closing)
    size = len(places) + (closing is not None)
    told = frozenset(place for place in places if not isinstance(write.facts[place], e.Greeted))
    if closing is not None:
        told |= {places[-1] + 1 if places else write.first}
    is_whole = closing is not None or not any(map(_is_deed, facts))
    if turn and is_whole and not _is_of_model(facts):
        answered = i.Answered(turn, tuple(_acts(facts)), is_last=closing is not None)
        yield Reading(answered, _without_ends(write, told), size)
    acted = i.ModelActed(tuple(_acts(facts)), is_answer=closing is not None)
    if write.has_model:
        yield Reading(acted, _without_ends(write, told), size)


def read_model_call(write: Write, place: int) -> Reading | None:
    """A model's call of a tool, which it has named itself; else None."""
    asked = write.beside(place)
    if not write.has_model or not isinstance(asked, e.OperationRequested):
        return None
    called = i.ModelCalled(asked.operation, asked.tool, asked.arguments)
    after = write.beside(place + 1)
    is_refused = isinstance(after, e.OperationEnded) and after.detail == NO_SUCH_TOOL
    return Reading(called, frozenset((place,)), place + 1 + is_refused)


def _group(write: Write) -> tuple[list[int], e.TurnAnswered | None]:
    """The places of the acts' facts, and what closes the turn behind them."""
    places: list[int] = []
    for place, fact in write.following((*ACTS, e.TurnAnswered), write.first):
        if isinstance(fact, e.TurnAnswered):
            return places, fact
        if _is_others(fact):
            break
        places.append(place)
    is_whole = write.has_model and any(_is_deed(write.facts[place]) for place in places)
    return (places, None) if is_whole else (_words(write, places), None)


def _words(write: Write, places: list[int]) -> list[int]:
    """Of an answer that goes on: the words at its beginning, and nothing that came after them."""
    found: list[int] = []
    for place in places:
        if not isinstance(write.facts[place], WORDS):
            break
        found.append(place)
    return found


def _is_others(fact: Known) -> bool:
    """Whether a fact of such a kind is of our own rules or of a person, not of an agent's acts."""
    match fact:
        case e.AgentSpoke():
            return fact.who != "agent" or fact.voice != "ours" or not fact.turn
        case e.OperationRequested():
            return fact.operation == SUMMARY
        case e.OperationEnded():
            return fact.detail != NO_SUCH_TOOL
        case _:
            return False


def _is_deed(fact: Known) -> bool:
    return not isinstance(fact, WORDS)


def _turn(facts: list[Known], closing: e.TurnAnswered | None) -> int:
    if closing is not None:
        return closing.turn
    return next((fact.turn for fact in facts if isinstance(fact, e.AgentSpoke)), 0)


def _is_of_model(facts: list[Known]) -> bool:
    return any(
        isinstance(fact, e.DigitsRequested) and fact.request.startswith("model") for fact in facts
    )


def _without_ends(write: Write, told: frozenset[int]) -> frozenset[int]:
    """That an unknown tool has failed is our own conclusion, told by nobody."""
    return frozenset(
        place for place in told if not isinstance(write.facts[place], e.OperationEnded)
    )


def _acts(facts: list[Known]) -> Iterator[a.Act]:
    count = 0
    for fact in facts:
        for act in _act(fact, count):
            count += 1
            yield act


def _act(fact: Known, count: int) -> tuple[a.Act, ...]:
    """The act that became a fact; `count` acts came before it.

    The mark of a greeting, and the end of a tool that isn't there, come from no act.
    """
    before = _unwritten(fact, count) if isinstance(fact, e.DigitsRequested) else ()
    made = _ACTS.get(type(fact))
    return (*before, made(fact)) if made else ()


def _unwritten(fact: e.DigitsRequested, count: int) -> tuple[a.Act, ...]:
    """A model's digits are named by their place among its acts, of which some leave no fact."""
    _, dot, number = fact.request.partition(".")
    is_named = dot and number.isascii() and number.isdecimal() and len(number) <= PLACE_DIGITS_MAX
    return (_TRACELESS,) * (int(number) - count) if is_named else ()


def _said(fact: e.AgentSpoke) -> a.Act:
    text = " ".join(fact.clauses)
    return a.Ask(text, fact.asks) if fact.asks else a.Say(text)


def _ending(fact: e.EndingPlanned) -> a.Act:
    if fact.ending == "hangup":
        return a.HangUp()
    return a.Transfer(fact.to_number, fact.is_last_resort)


_ACTS: dict[type, Callable[[Any], a.Act]] = {
    e.AgentSpoke: _said,
    e.FieldFilled: lambda fact: a.Fill(fact.name, fact.value, fact.source, fact.confidence_milli),
    e.FieldConfirmed: lambda fact: a.Confirm(fact.name),
    e.FieldCleared: lambda fact: a.Forget(fact.name),
    e.StageChanged: lambda fact: a.Enter(fact.stage),
    e.DigitsRequested: lambda fact: a.SendDigits(fact.digits),
    e.OperationRequested: lambda fact: a.UseTool(fact.tool, fact.arguments),
    e.EarlierTaken: lambda _fact: a.GoOn(),
    e.EarlierDeclined: lambda _fact: a.StartAfresh(),
    e.EndingPlanned: _ending,
}
