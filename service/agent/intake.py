"""The intake agent: asks a caller for what a support team needs, and reads it back.

Form-driven: the questions are the table `FORM`, top to bottom. What is known from the directory is
not asked. The agent keeps nothing itself: which field was asked last, and what is filled, stand in
the call's state.

    opening ──> name ──> company ──> ticket_id ──> problem ──> read back ──> what happens next ──> end
"""

from collections.abc import AsyncIterator, Callable

import msgspec

from service.agent import answers
from service.call.acts import Act, Ask, Confirm, Enter, Fill, Forget, HangUp, Say
from service.call.state import Call, Turn

READ_BACK = "read_back"
WHICH_FIELD = "which_field"
NO_TICKET = "none"


class Question(msgspec.Struct, frozen=True):
    """One field of the form: what to ask, and how to read the answer."""

    field: str
    text: str
    again: str
    read: Callable[[str], str]
    label: str
    by_keys: bool = False
    is_optional: bool = False
    is_story: bool = False


FORM: tuple[Question, ...] = (
    Question("name", "May I have your name, please?", "Sorry, I didn't get your name. Could you say it again?", answers.person, "your name is"),
    Question("company", "Which company are you calling from?", "Sorry, which company was that?", answers.company, "you are calling from"),
    Question("ticket_id", "What is your ticket number? You can say it, or key in the digits and press hash.", "Sorry, I didn't get the ticket number. Please say it digit by digit, or key it in and press hash.", answers.ticket, "your ticket is", by_keys=True, is_optional=True),
    Question("problem", "Please tell me in a sentence what the problem is.", "Sorry, could you describe the problem again?", answers.story, "the problem is", is_story=True),
)  # fmt: skip

FROM_PARAMETERS = {"name": "client_name", "company": "company", "ticket_id": "ticket_id"}


class Intake:
    """Takes name, company, ticket ID and the problem; confirms them; says what happens next."""

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        """Answer one turn."""
        for act in _answer(call, turn):
            yield act


def _answer(call: Call, turn: Turn) -> list[Act]:
    if turn.reason == "opening":
        return _opening(call)
    if turn.reason == "context_lost":
        return [*_from_directory(call), *_next(_known(call))]
    if call.asked == READ_BACK:
        return _read_back_answered(call, turn)
    if call.asked == WHICH_FIELD:
        return _which_field_answered(call, turn)
    question = next((one for one in FORM if one.field == call.asked), None)
    if question is None:
        return [*_from_directory(call), *_next(_known(call))]
    return _answered(call, question, turn)


def _opening(call: Call) -> list[Act]:
    name = call.parameters.get("client_name", "")
    company = call.parameters.get("company", "")
    ticket = call.parameters.get("ticket_id", "")
    hello = f"Hello {name}" if name else "Hello"
    at = f" from {company}" if company else ""
    about = f" I see this is about ticket {ticket}." if ticket else ""
    return [
        Enter("intake"),
        *_from_directory(call),
        Say(f"{hello}{at}, thank you for calling support.{about}"),
        *_next(_known(call)),
    ]


def _from_directory(call: Call) -> list[Fill]:
    return [
        Fill(field, call.parameters[parameter], "directory")
        for field, parameter in FROM_PARAMETERS.items()
        if call.parameters.get(parameter) and field not in call.fields
    ]


def _known(call: Call) -> dict[str, str]:
    """What the directory knows, and what the caller told us."""
    return {act.field: act.value for act in _from_directory(call)} | _told(call)


def _told(call: Call) -> dict[str, str]:
    return {name: field.value for name, field in call.fields.items()}


def _next(known: dict[str, str]) -> list[Act]:
    """Ask the first question without an answer; when there is none, read everything back."""
    question = next((one for one in FORM if one.field not in known), None)
    if question is not None:
        return [Ask(question.text, question.field)]
    return [Enter("confirming"), Ask(_summary(known), READ_BACK)]


def _summary(values: dict[str, str]) -> str:
    parts = [
        f"{one.label} {values[one.field].rstrip('.')}"
        for one in FORM
        if values.get(one.field) and values[one.field] != NO_TICKET
    ]
    return f"Let me read that back: {', '.join(parts)}. Is that right?"


def _answered(call: Call, question: Question, turn: Turn) -> list[Act]:
    if turn.reason == "keys":
        value = turn.text if question.by_keys else ""
        source = "keys"
    else:
        # After a drop the caller may repeat the last part, or go on from where the line went. A
        # story said twice in part loses nothing; of a value the words after the drop go first.
        whole = f"{turn.earlier} {turn.text}"
        value = "" if question.is_story else question.read(turn.text)
        value = value or question.read(whole)
        source = "speech"
    if not value and question.is_optional and answers.has_none(turn.text):
        value = NO_TICKET
    if not value:
        return [Ask(question.again, question.field)]
    known = {**_told(call), question.field: value}
    return [Fill(question.field, value, source), *_next(known)]


def _read_back_answered(call: Call, turn: Turn) -> list[Act]:
    is_right = answers.yes_or_no(turn.text) if turn.reason == "speech" else turn.text == "1"
    if is_right is None:
        return [Ask(f"Sorry, I need a yes or a no. {_summary(_told(call))}", READ_BACK)]
    if not is_right:
        if _named(turn.text) is not None:
            return _which_field_answered(call, turn)
        return [Ask("Which part is wrong: name, company, ticket or problem?", WHICH_FIELD)]
    confirmed: list[Act] = [Confirm(field) for field in call.fields]
    farewell = (
        "Thank you. A colleague will look at this today and call you back on this number. Goodbye."
    )
    return [*confirmed, Enter("done"), Say(farewell), HangUp()]


def _which_field_answered(call: Call, turn: Turn) -> list[Act]:
    wrong = _named(turn.text)
    if wrong is None:
        return [Ask("Sorry, is it the name, the company, the ticket or the problem?", WHICH_FIELD)]
    kept = {name: value for name, value in _told(call).items() if name != wrong.field}
    return [Forget(wrong.field), *_next(kept)]


def _named(text: str) -> Question | None:
    """The question that the caller's words name: "the company name" is the company."""
    words = text.lower()
    found = next((word for word in ("company", "ticket", "name", "problem") if word in words), "")
    return next((one for one in FORM if found and one.field.startswith(found)), None)
