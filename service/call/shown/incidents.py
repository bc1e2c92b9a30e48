"""Context-loss incidents: where a conversation itself shows that something of it was lost. Pure, from facts.

| kind          | when                                                                                   |
|---------------|----------------------------------------------------------------------------------------|
| state_missing | a token proved a known call, and its journal was gone, too short, or can't be opened   |
| fold_mismatch | a server went on with a state that the records do not give                             |
| asked_again   | a question was asked again that the caller had answered (below)                        |
| told_already  | the caller says so: "I already told you", "you asked me that before"                   |

*Asked again* is: for a field that the caller confirmed; or, within AGAIN_MS of a stream's return, for a
field that the caller filled before it; or a question in the very words of one that was heard to its end
and answered before. What the rules of a broken line say (turn 0) and what follows a silence is none.

Each incident is one fact, so whoever writes that fact counts it, once, whatever happens to the server
next; everybody else finds it there again. The words that led to one are never part of it.
"""

import re
from typing import Literal, get_args

from service.call.events import (
    AgentContinued,
    AgentSpoke,
    AnyFact,
    CallerSpoke,
    ContextLost,
    StateDiffered,
)
from service.call.state import Call, Line

Kind = Literal["state_missing", "fold_mismatch", "asked_again", "told_already"]
KINDS: tuple[Kind, ...] = get_args(Kind)

AGAIN_MS = 60_000  # what is asked later follows from the talk since; "Anything else?" comes twice in many calls
OF_CALLER = ("speech", "keys", "human")  # who else fills a field was asked nothing

_OBJECT = r"(?:you|that|this|it|them|so)\b"
_TOLD = re.compile(
    rf"\bi (?:have |had )?(?:already|just) (?:told|gave|given|answered|explained|said|spelled|entered) {_OBJECT}"
    r"|\bi (?:have )?(?:already |just )?told you (?:that |this |it |so )*(?:already|before|once|twice|just now)\b"
    r"|\bi (?:have )?(?:said|gave you|answered|told you) (?:that|this|it|so)(?: already| before| twice| once)?$"
    r"|\bi already (?:said|did|answered|have)$"
    r"|\byou (?:have )?(?:already|just) asked\b"
    r"|\byou (?:have )?asked me (?:that|this) (?:already|before)\b"
    r"|\b(?:how many times|do i have to) (?:do i have to |must i )?(?:say|tell|repeat|answer)\b"
)
_QUESTION = re.compile(r"[^.!?]*\?")


def incident(before: Call, fact: AnyFact) -> Kind | None:
    """Return what `fact` shows to be lost of the call as it stood before it, None for nothing."""
    match fact:
        case ContextLost():
            return "state_missing"
        case StateDiffered():
            return "fold_mismatch"
        case CallerSpoke():
            return "told_already" if is_complaint(fact.text) else None
        case AgentSpoke() if fact.turn and fact.who == "agent" and not fact.is_open:
            text = " ".join(fact.clauses)
            return "asked_again" if _is_asked_again(before, fact.asks, text) else None
        case AgentContinued() if fact.is_last:
            is_own = any(one.prompt == fact.prompt and one.turn for one in before.prompts)
            text = " ".join(fact.clauses)
            return "asked_again" if is_own and _is_put_again(before, text) else None
        case _:
            return None


def is_complaint(text: str) -> bool:
    """Whether these words of a caller say that they had told or answered it before."""
    if not text:
        return False
    words = text.casefold().replace("\u2019", "'").replace("i've", "i have").replace("'", "")
    return _TOLD.search(" ".join(re.sub(r"[^\w ]", " ", words).split())) is not None


def _is_asked_again(before: Call, asks: str, text: str) -> bool:
    field = before.fields.get(asks)
    if field is None or field.source not in OF_CALLER:
        return not field and _is_put_again(before, text)
    return field.confirmed or (_is_back(before) and field.at_ms < before.streams[-1].attached_ms)


def _is_back(call: Call) -> bool:
    """Whether the stream came back a moment ago."""
    is_another = len(call.streams) > 1
    return is_another and call.updated_ms - call.streams[-1].attached_ms <= AGAIN_MS


def _is_put_again(before: Call, text: str) -> bool:
    """Whether a question of the text was put in the same words before the stream went, heard, and answered."""
    is_waiting = before.turn is not None and before.turn.reason == "silence"
    # Nearly all answers are given to a stream that is no moment old: those are not searched.
    questions = set() if is_waiting or not _is_back(before) else _questions(text)
    if not questions:
        return False
    answered = False
    for line in reversed(before.transcript):
        if line.at_ms >= before.streams[-1].attached_ms:
            continue
        if line.who == "caller":
            answered = True
        elif answered and _is_whole(line) and questions & _questions(line.text):
            return True
    return False


def _is_whole(line: Line) -> bool:
    return line.who == "agent" and line.heard == line.text


def _questions(text: str) -> set[str]:
    """Return the questions in a text, without what only looks different."""
    found = (" ".join(re.findall(r"\w+", one.casefold())) for one in _QUESTION.findall(text))
    return {one for one in found if " " in one}
