"""Reading back what was understood, and finding out which part of it is wrong. In words that can be spoken."""

import re

from service.agent.intake import answers, phone
from service.agent.intake.form import FORM, NUMBER, PROBLEM, Question, told
from service.agent.intake.repair import Wordings
from service.call.decisions.resume import STILL_RIGHT
from service.call.state import Call, Turn

READ_BACK = "read_back"
WHICH_FIELD = "which_field"
STORY_LETTERS_MAX = 160  # ten seconds; the caller knows the rest

_BY_KEYS = (
    "Please say yes if everything is right, or no. You can also press 1 for yes, or 2 for no."
)
_STILL = Wordings(
    "Is everything that I said still right?",
    "Sorry, I need a yes or a no. Is everything that I said still right?",
    _BY_KEYS,
)
_NAMED = (
    (re.compile(r"\b(?:company|firm|business)\b"), "company"),
    (re.compile(r"\bticket\b|\bcase number\b"), "ticket_id"),
    (re.compile(r"\b(?:phone|telephone|call[ -]?back|number)\b"), "callback_number"),
    (re.compile(r"\bname\b"), "name"),
    (re.compile(r"\b(?:problem|issue|description|story)\b"), "problem"),
)


def wordings(call: Call, asked: str) -> Wordings:
    """Return the ways to ask for a yes, or for the part that is wrong."""
    if asked == STILL_RIGHT:
        return _STILL
    if asked == WHICH_FIELD:
        return _which(call)
    whole = summary(call)
    return Wordings(whole, f"Sorry, I need a yes or a no. {whole}", _BY_KEYS)


def summary(call: Call) -> str:
    """Return everything that was understood, as a question."""
    parts = [
        f"{one.label} {told(call, one.field).rstrip('.')}"
        for one in FORM
        if one not in (PROBLEM, NUMBER) and told(call, one.field)
    ]
    sentences = [f"{', '.join(parts)}."] if parts else []
    if told(call, PROBLEM.field):
        sentences.append(f"{PROBLEM.label.capitalize()} {_shortened(told(call, PROBLEM.field))}")
    if told(call, NUMBER.field):  # It ends its sentence: a comma would make it no telephone number.
        number = phone.grouped(told(call, NUMBER.field))
        sentences.append(f"{NUMBER.label.capitalize()} {number}.")
    return f"Let me read that back: {' '.join(sentences)} Is that right?"


def agreed(turn: Turn) -> bool | None:
    """Return True for a yes or the key 1, False for a no or the key 2, None for anything else."""
    if turn.reason == "keys":
        return {"1": True, "2": False}.get(turn.text)
    return answers.yes_or_no(turn.text) if turn.reason == "speech" else None


def named(turn: Turn, call: Call) -> Question | None:
    """Return the question that the caller's words name: "the company name" is the company.

    A key counts the parts in the order in which they are offered.
    """
    offered = _offered(call)
    if turn.reason == "keys":
        place = int(turn.text) - 1 if turn.text.isdecimal() and len(turn.text) == 1 else -1
        return offered[place] if 0 <= place < len(offered) else None
    words = turn.text.lower()
    if not told(call, NUMBER.field):  # Then "the number" can only be the ticket's.
        words = re.sub(r"\bnumber\b", "ticket", words)
    field = next((field for pattern, field in _NAMED if pattern.search(words)), "")
    return next((one for one in FORM if one.field == field), None)


def _which(call: Call) -> Wordings:
    parts = [one.short for one in _offered(call)]
    choice = f"{', '.join(parts[:-1])} or {parts[-1]}" if len(parts) > 1 else "".join(parts)
    keys = ", ".join(f"{key} for the {part}" for key, part in enumerate(parts, 1))
    return Wordings(
        f"Which part is wrong: {choice}?",
        f"Sorry, which part is it: the {choice.replace(', ', ', the ').replace(' or ', ' or the ')}?",
        f"You can also press {keys}.",
    )


def _offered(call: Call) -> list[Question]:
    return [one for one in FORM if one.field in call.fields]


def _shortened(story: str) -> str:
    if len(story) > STORY_LETTERS_MAX:
        cut = story[:STORY_LETTERS_MAX]
        sentence, stop, _ = cut.rpartition(". ")
        story = f"{(sentence if stop else cut.rsplit(' ', 1)[0]).rstrip(' .,')}, and so on"
    return story if story.endswith((".", "!", "?")) else f"{story}."
