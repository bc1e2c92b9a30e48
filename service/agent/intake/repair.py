"""What is said when an answer did not come, or was not understood: more help each time, never a circle.

1st time  the question in other words, or "Are you still there?" and the question
2nd time  another way to answer: keys, or spelling
3rd time  a person
"""

import msgspec

from service.call.acts import Act, Ask, Enter, Say, Transfer
from service.call.decisions.ending import UNDIALABLE_LINE
from service.call.state import Call, Turn

ASKS_MAX = 3  # a caller who failed three times is angry at the fourth
REPEATS_MAX = 6  # who asks for the same sentence that often can't hear us well enough

PERSON_LINE = "Of course. I'll put you through to a colleague."
GIVING_UP_LINE = "I'm sorry, I can't get this right on my own. I'll put you through to a colleague."
UNHEARD_LINE = "I'm sorry, I can't hear you well. I'll put you through to a colleague."
TIME_LINE = "Take your time."
STILL_THERE = "Are you still there?"
HERE = "Yes, I'm here."
NOT_YET = "Sorry, I still didn't get it."
UNHEARD = "I can't hear you."


class Wordings(msgspec.Struct, frozen=True):
    """One question in growing detail: first, in other words, and with another way to answer."""

    first: str
    again: str
    more: str


def repaired(call: Call, turn: Turn, wordings: Wordings, field: str) -> list[Act]:
    """Ask again for `field`, with more help each time it was asked; in the end a person takes over."""
    is_silent = turn.reason == "silence"
    asks = call.asks if call.asked == field else 1
    if asks >= ASKS_MAX:
        return to_person(call, UNHEARD_LINE if is_silent else GIVING_UP_LINE)
    if asks == 1:
        text = f"{STILL_THERE} {wordings.first}" if is_silent else wordings.again
    else:
        text = f"{UNHEARD if is_silent else NOT_YET} {wordings.more}"
    return [Ask(text, field)]


def to_person(call: Call, line: str) -> list[Act]:
    """Say a line and hand the caller over; who did not ask for a person is not understood by us any more.

    A page has nobody to be handed to: its caller is promised nothing, and told so by the rules.
    """
    transfer = Transfer(is_last_resort=line != PERSON_LINE)
    return [transfer] if call.is_from_page else [Enter("transferring"), Say(line), transfer]


def wanted(call: Call, wordings: Wordings, *, is_settled: bool) -> list[Act]:
    """Hand a caller over who asks for a person; where there is none, say so and ask what was asked."""
    if not call.is_from_page:
        return to_person(call, PERSON_LINE)
    if is_settled:
        return [Say(UNDIALABLE_LINE)]
    if call.asks >= REPEATS_MAX:
        return to_person(call, UNHEARD_LINE)
    return [Ask(f"{UNDIALABLE_LINE} {wordings.first}", call.asked)]


def restated(call: Call, wordings: Wordings) -> list[Act]:
    """Tell a caller who asks whether we are there that we are, and ask what was asked again."""
    if call.asks >= REPEATS_MAX:
        return to_person(call, UNHEARD_LINE)
    return [Ask(f"{HERE} {wordings.first}", call.asked)]


def repeated(call: Call, otherwise: str, lines_of_rules: frozenset[str]) -> list[Act]:
    """Say again what was said last and not answered; `otherwise` when nothing was.

    `lines_of_rules` were said by the rules of a broken line, not by us, and are left out.
    """
    if call.asks >= REPEATS_MAX:
        return to_person(call, UNHEARD_LINE)
    said: list[str] = []
    for line in reversed(call.transcript):
        if line.who == "caller":
            if said:
                break
        elif line.text not in lines_of_rules:
            said.insert(0, line.text)
    text = " ".join(said) or otherwise
    return [Ask(text, call.asked)] if call.asked else [Say(text)]
