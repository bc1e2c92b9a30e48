"""The form: what a support team needs to know, question by question, and how each answer is read.

The table is asked top to bottom; what is known is not asked. An answer bears how sure we are of it:

    1000 keyed   950 spelled, or with its letters   900 the directory's   850 digits alone
     800 the caller's own account   700 a name as it was heard   600 a name that resembles a known one
"""

import re
from collections.abc import Callable

import msgspec

from service.agent.intake import answers, names, phone
from service.agent.intake.repair import Wordings
from service.call.state import Call

NO_TICKET = "none"  # the value of an answer that says that there is none
FROM_PARAMETERS = {"name": "client_name", "company": "company", "ticket_id": "ticket_id"}
CALLBACK_TOOL = "callback_request"

KEYED_MILLI = 1000
SPELLED_MILLI = 950
DIRECTORY_MILLI = 900
DIGITS_MILLI = 850
STORY_MILLI = 800
HEARD_MILLI = 700
ALIKE_MILLI = 600

KEYED_DIGITS_MIN = 3  # of a ticket: one key is a choice, or a slip
_TICKET = re.compile(r"([A-Za-z]{2,5}-?)?(\d{1,12})")


class Answer(msgspec.Struct, frozen=True):
    """What was understood, empty for nothing, and how sure that is."""

    value: str = ""
    confidence_milli: int = 0


class Question(msgspec.Struct, frozen=True):
    """One field of the form: what to ask, how the answer is read, and how it is called later.

    `label` leads to the value in the read-back, `short` names the field in a choice.
    """

    field: str
    wordings: Wordings
    read: Callable[[str, Call], Answer]
    label: str
    short: str
    by_keys: bool = False
    is_optional: bool = False
    is_story: bool = False


def _name(text: str, _call: Call) -> Answer:
    return _named(*names.person(text, answers.person))


def _company(text: str, _call: Call) -> Answer:
    return _named(*names.company(text, answers.company))


def _named(value: str, is_spelled: bool) -> Answer:  # noqa: FBT001 - the second half of one answer
    return Answer(value, SPELLED_MILLI if is_spelled else HEARD_MILLI) if value else Answer()


def _ticket(text: str, call: Call) -> Answer:
    found = answers.ticket(text)
    if not found:
        return Answer()
    return Answer(whole_ticket(found, call), DIGITS_MILLI if found.isdecimal() else SPELLED_MILLI)


def _number(text: str, call: Call) -> Answer:
    if phone.is_this(text) and phone.is_phone(call.customer_number):
        return Answer(call.customer_number, SPELLED_MILLI)
    number = phone.phone(text)
    return Answer(number, SPELLED_MILLI) if number else Answer()


def _problem(text: str, _call: Call) -> Answer:
    told = answers.story(text)
    return Answer(told, STORY_MILLI) if answers.is_story(told) else Answer()


NAME = Question(
    "name",
    Wordings(
        "May I have your name, please?",
        "Sorry, I didn't get your name. Could you say it again?",
        "Could you spell your name for me, letter by letter?",
    ),
    _name,
    "your name is",
    "name",
)
COMPANY = Question(
    "company",
    Wordings(
        "Which company are you calling from?",
        "Sorry, which company was that?",
        "Could you spell the company's name for me, letter by letter?",
    ),
    _company,
    "you are calling from",
    "company",
)
TICKET = Question(
    "ticket_id",
    Wordings(
        "What is your ticket number? You can say it, or key in the digits and press hash.",
        "Sorry, I didn't get the ticket number. Please say it digit by digit.",
        "You can also key in the digits of the ticket number, and press hash.",
    ),
    _ticket,
    "your ticket is",
    "ticket",
    by_keys=True,
    is_optional=True,
)
PROBLEM = Question(
    "problem",
    Wordings(
        "Please tell me in a sentence what the problem is.",
        "Sorry, could you describe the problem again?",
        "A few words are enough: what doesn't work?",
    ),
    _problem,
    "you said:",
    "problem",
    is_story=True,
)
NUMBER = Question(
    "callback_number",
    Wordings(
        "Which number can we call you back on? You can say it, or say: this number.",
        "Sorry, I didn't get the number. Please say it digit by digit.",
        "You can also key in the number, and press hash.",
    ),
    _number,
    "we can call you back on",
    "number",
    by_keys=True,
    is_optional=True,
)
FORM: tuple[Question, ...] = (NAME, COMPANY, TICKET, PROBLEM, NUMBER)


def question(field: str) -> Question | None:
    """Return the question of a field, or None when the form has none."""
    return next((one for one in FORM if one.field == field), None)


def missing(call: Call, tools: frozenset[str]) -> Question | None:
    """Return the first question without an answer, or None.

    A number to call back is asked for only where a call-back can be asked for, and is the only way to
    come back to the caller.
    """
    for one in FORM:
        if one.field in call.fields:
            continue
        if one is not NUMBER or (CALLBACK_TOOL in tools and not told(call, "ticket_id")):
            return one
    return None


def told(call: Call, field: str) -> str:
    """Return the answer to a question, empty when there is none or the answer was "none"."""
    known = call.fields.get(field)
    return known.value if known is not None and known.value != NO_TICKET else ""


def keyed(asked: Question, digits: str, call: Call) -> Answer:
    """Read an answer out of a row of keys."""
    if not asked.by_keys:
        return Answer()
    if asked is NUMBER:
        return Answer(digits, KEYED_MILLI) if phone.is_phone(digits) else Answer()
    is_whole = is_ticket(digits) and len(digits) >= KEYED_DIGITS_MIN
    return Answer(whole_ticket(digits, call), KEYED_MILLI) if is_whole else Answer()


def is_ticket(value: str) -> bool:
    """Whether a value is a ticket number in a shape that a tool can be asked for."""
    return _TICKET.fullmatch(value) is not None and value.isascii()


def is_same_ticket(one: str, other: str) -> bool:
    """Whether two numbers name the same ticket: the digits agree, and the letters if both have some."""
    first, second = _TICKET.fullmatch(one), _TICKET.fullmatch(other)
    if first is None or second is None:
        return one == other
    letters = [(found[1] or "").strip("-").upper() for found in (first, second)]
    return first[2] == second[2] and (letters[0] == letters[1] or not all(letters))


def whole_ticket(value: str, call: Call) -> str:
    """Return a ticket number whose letters were not said with those of the directory's ticket."""
    found = _TICKET.fullmatch(call.parameters.get(FROM_PARAMETERS["ticket_id"], ""))
    return f"{found[1]}{value}" if found and found[1] and value.isdecimal() else value
