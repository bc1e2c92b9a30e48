"""What the intake agent has tools do, and how it tells the caller what became of it.

    ticket_lookup      {"ticket_id"}          as soon as a ticket is known; its status is told
    ticket_note        {"ticket_id", "text"}  at the end, when there is a ticket
    callback_request   {"number", "about"}    at the end, when there is none but a number

A deployment has all of them, some, or none. Nothing is promised that no tool has taken on, and what
nobody knows is said to be unknown.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from service.agent.intake import form, names, phone
from service.agent.intake.repair import Wordings
from service.call.acts import Ask, Fill, UseTool
from service.call.facts.ring import CarriedTool
from service.call.state import Call, Operation

LOOKUP = "ticket_lookup"
NOTE = "ticket_note"
CALLBACK = form.CALLBACK_TOOL
LOOKUPS_MAX = 2  # of one ticket: the first, and one more if the caller wants it
TICKETS_MAX = 5  # lookups in a call: who names more tickets is guessing
WANTS_LOOKUP = "wants_lookup"
CONFIRM = "confirm_"  # before a field's name: whether what was understood is right

LOOKING_LINE = "One moment, I'll look up your ticket."
SAVING_LINE = "Thank you. One moment while I pass that on."
STILL_SAVING_LINE = "One moment, I'm still passing that on."
FAREWELL = "Thank you for calling. Goodbye."
NOTED_FAREWELL = f"Thank you, I have noted everything. {FAREWELL}"
AGAIN = Wordings(
    "I'm sorry, looking up your ticket took too long. Shall I try again?",
    "Sorry, shall I try to look up your ticket again? Yes or no?",
    "Please say yes or no. You can also press 1 for yes, or 2 for no.",
)

_SUBJECT_LETTERS_MAX = 120  # a sentence of a subject is heard, a page is not
_TEXT_LETTERS_MAX = 1_500  # the shipped note tool takes 2,000
_ABOUT_LETTERS_MAX = 500  # the shipped call-back tool's limit
_NOT_FOUND = "404"


class News(msgspec.Struct, frozen=True):
    """What became of tools: answers learnt, lines to say, a question that follows, and how it ends."""

    fills: tuple[Fill, ...] = ()
    lines: tuple[str, ...] = ()
    ask: Ask | None = None
    ending: str = ""

    def joined(self, other: "News") -> "News":
        """Return both."""
        return News(
            (*self.fills, *other.fills),
            (*self.lines, *other.lines),
            other.ask or self.ask,
            other.ending or self.ending,
        )


def lookup(call: Call, tools: frozenset[str], *, is_again: bool = False) -> UseTool | None:
    """Return the lookup of the caller's ticket, unless it was made (often enough) or can't be."""
    ticket = form.told(call, "ticket_id")
    if LOOKUP not in tools or not form.is_ticket(ticket):
        return None
    of_this = len(_lookups(call, ticket))
    if of_this >= (LOOKUPS_MAX if is_again else 1) or len(_lookups(call)) >= TICKETS_MAX:
        return None
    return UseTool(LOOKUP, {"ticket_id": ticket})


def closing(call: Call, tools: frozenset[str]) -> UseTool | None:
    """Return what is to be done with a form that is complete, or None."""
    ticket, number = form.told(call, "ticket_id"), form.told(call, "callback_number")
    problem = form.told(call, "problem")
    who = " of ".join(filter(None, (form.told(call, "name"), form.told(call, "company"))))
    about = f"{who}: {problem}" if who else problem
    if NOTE in tools and form.is_ticket(ticket) and about:
        return UseTool(NOTE, {"ticket_id": ticket, "text": about[:_TEXT_LETTERS_MAX]})
    if CALLBACK in tools and phone.is_phone(number):
        return UseTool(CALLBACK, {"number": number, "about": about[:_ABOUT_LETTERS_MAX]})
    return None


def closed_before(call: Call) -> News | None:
    """Return what there is to tell when the earlier call had passed the form on: it is not done twice."""
    done = next((one for one in _carried(call) if one.tool in (NOTE, CALLBACK)), None)
    return None if done is None else _closing_news(call, done)


def is_closing(call: Call) -> bool:
    """Whether the form is being passed on."""
    return any(one.tool in (NOTE, CALLBACK) and one.status == "pending" for one in call.operations)


def news(call: Call, ended: tuple[str, ...]) -> News:
    """Return what there is to tell of the operations that ended."""
    told = News()
    for one in call.operations:
        if one.operation in ended:
            told = told.joined(_news(call, one))
    return told


def candidate(call: Call, field: str) -> str:
    """Return the known name that resembles the field's answer without being it, or empty."""
    said = form.told(call, field)
    if field == "ticket_id" or not said:
        return ""
    found = names.likest(said, _known(call, field))
    return "" if names.is_same(found, said) else found


def _known(call: Call, field: str) -> list[str]:
    """What the directory and the caller's ticket say of a field."""
    parameter = form.FROM_PARAMETERS.get(field, "")
    ticket = form.told(call, "ticket_id")
    found = [_result(one).get(parameter) for one in _lookups(call, ticket)]
    return [
        one
        for one in (call.parameters.get(parameter), *found)
        if isinstance(one, str) and 0 < len(one) <= _SUBJECT_LETTERS_MAX
    ]


def _carried(call: Call) -> list[CarriedTool]:
    """Return what tools brought, or may have done, in the earlier call that this one goes on with."""
    earlier = call.earlier
    if earlier is None or earlier.standing != "taken":
        return []
    return [one for one in earlier.tools if one.status not in ("failed", "timed_out")]


def _lookups(call: Call, ticket: str = "") -> list[Operation | CarriedTool]:
    """Return the lookups of a ticket, or all of them; those of the earlier call that brought something."""
    tools: list[Operation | CarriedTool] = [
        one for one in _carried(call) if one.status == "succeeded"
    ]
    tools.extend(call.operations)
    return [
        one
        for one in tools
        if one.tool == LOOKUP
        and (not ticket or form.is_same_ticket(str(one.arguments.get("ticket_id", "")), ticket))
    ]


def _result(one: Operation | CarriedTool) -> Mapping[str, Any]:
    """Return what a tool answered, empty when it is no object."""
    try:
        found = msgspec.json.decode(one.result or "null")
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _news(call: Call, one: Operation) -> News:
    if one.tool == LOOKUP:
        return _ticket_news(call, one)
    if one.tool in (NOTE, CALLBACK):
        return _closing_news(call, one)
    return News()


def _ticket_news(call: Call, one: Operation) -> News:
    ticket = form.told(call, "ticket_id")
    if one not in _lookups(call, ticket) or not ticket:
        return News()  # The caller has named another ticket since.
    if one.status == "succeeded":
        return _found_news(call, _result(one), ticket)
    if one.status == "timed_out" and len(_lookups(call, ticket)) < LOOKUPS_MAX:
        return News(ask=Ask(AGAIN.first, WANTS_LOOKUP))
    if one.status == "timed_out":
        return News(lines=("I'm sorry, I still can't look up your ticket. We can go on without.",))
    if one.status == "unknown":
        return News(lines=("I'm sorry, I got no answer about your ticket. We can go on without.",))
    if _NOT_FOUND in one.detail:
        return News(ask=doubt(call, form.TICKET.field))
    return News(lines=("I'm sorry, I couldn't look up your ticket. We can go on without.",))


def _found_news(call: Call, result: Mapping[str, Any], ticket: str) -> News:
    subject, status = (_words(result.get(key)) for key in ("subject", "status"))
    sentences = ["I found your ticket" + (f": {subject}." if subject else ".")]
    if status:
        sentences.append(f"Its status is: {status}.")
    own = result.get("ticket_id")
    is_fuller = isinstance(own, str) and own != ticket and form.is_same_ticket(own, ticket)
    fills = (Fill("ticket_id", str(own), "tool", form.SPELLED_MILLI),) if is_fuller else ()
    doubted = next((field for field in ("name", "company") if _is_doubtful(call, field)), "")
    ask = doubt(call, doubted) if doubted else None
    return News(fills, (" ".join(sentences),), ask)


def doubt(call: Call, field: str) -> Ask:
    """Return the question whether a doubtful answer is right."""
    return Ask(confirmation(call, field).first, CONFIRM + field)


def confirmation(call: Call, field: str) -> Wordings:
    """Return the ways to ask whether a doubtful answer is right."""
    if field == form.TICKET.field:
        first = (
            f"I can't find a ticket with the number {form.told(call, field)}. Is that number right?"
        )
    else:
        first = f"Is your {field} {candidate(call, field)}?".replace("your company", "the company")
    return Wordings(first, f"Sorry, I need a yes or a no. {first}", AGAIN.more)


def _is_doubtful(call: Call, field: str) -> bool:
    return bool(candidate(call, field)) and not call.fields[field].confirmed


def _closing_news(call: Call, one: Operation | CarriedTool) -> News:
    if one.status == "succeeded" and one.tool == NOTE:
        done = "Your report is now in your ticket, for the people who work on it."
        return News(lines=(f"{done} {FAREWELL}",), ending="done")
    if one.status == "succeeded":
        number = phone.grouped(form.told(call, "callback_number"))
        return News(
            lines=(f"I have asked a colleague to call you back on {number}. {FAREWELL}",),
            ending="done",
        )
    what = "your report" if one.tool == NOTE else "your call-back request"
    own_up = (
        "I can't be sure that {} was saved"
        if one.status in ("unknown", "pending")
        else "I couldn't save {}"
    )
    line = f"I'm sorry, {own_up.format(what)}."
    if not call.is_from_page:
        line = f"{line} I'll put you through to a colleague."
    return News(lines=(line,), ending="transfer")


def _words(value: object) -> str:
    """Return a tool's words fit for a sentence: one line, not too long, no stop at the end."""
    if not isinstance(value, str):
        return ""
    return " ".join(value.split())[:_SUBJECT_LETTERS_MAX].replace("_", " ").rstrip(" .!?")
