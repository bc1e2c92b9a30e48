"""What a turn tells: the answer to the question that was asked, and answers that nobody asked for.

People answer more than one thing at once ("Maria Lopez, I'm calling from Acme"), and correct what they
said before ("no, my name is Mario"). Only words that say of themselves what they are count for another
question than the one that was asked.
"""

from service.agent.intake import answers, names
from service.agent.intake.form import (
    COMPANY,
    FROM_PARAMETERS,
    HEARD_MILLI,
    NAME,
    NO_TICKET,
    PROBLEM,
    SPELLED_MILLI,
    TICKET,
    Answer,
    Question,
    is_same_ticket,
    keyed,
    told,
    whole_ticket,
)
from service.call.acts import Fill
from service.call.state import Call, Turn

AHEAD_WORDS_MIN = 4  # the shortest problems: "I can't log in"


def answer(call: Call, turn: Turn, asked: Question) -> Answer:
    """Return the turn's answer to `asked`, empty when there is none in it."""
    if turn.reason == "keys":
        return keyed(asked, turn.text, call)
    # After a drop the caller may repeat the last part, or go on from where the line went. A
    # story said twice in part loses nothing; of a value the words after the drop go first.
    whole = f"{turn.earlier} {turn.text}".strip()
    heard = Answer() if asked.is_story else asked.read(turn.text, call)
    heard = heard if heard.value else asked.read(whole, call)
    if not heard.value and asked.is_optional and answers.has_none(turn.text):
        return Answer(NO_TICKET, HEARD_MILLI)
    return heard


def ahead(call: Call, turn: Turn, following: Question | None) -> list[Fill]:
    """Return the problem when it is told before it is asked for, being what is asked `following`.

    It needs some words: "hello there" and "thanks a lot" tell nothing.
    """
    if following is not PROBLEM or turn.reason != "speech":
        return []
    heard = answer(call, turn, PROBLEM)
    if not heard.value or len(turn.text.split()) < AHEAD_WORDS_MIN:
        return []
    return [Fill(PROBLEM.field, heard.value, "speech", heard.confidence_milli)]


def volunteered(call: Call, turn: Turn, asked: Question) -> list[Fill]:
    """Return answers to other questions that are still open, and the name if it is put right."""
    if asked is PROBLEM:
        return []
    return [
        fill
        for fill in corrections(call, turn)
        if fill.field != asked.field
        and (fill.field not in call.fields or (fill.field == NAME.field and asked is COMPANY))
    ]


def corrections(call: Call, turn: Turn) -> list[Fill]:
    """Return new values of name, company and ticket that are told as such."""
    if turn.reason != "speech":
        return []
    found = {field: answers.clear(field, turn.text) for field in FROM_PARAMETERS}
    found[TICKET.field] = whole_ticket(found[TICKET.field], call)
    return [
        Fill(field, value, "speech", _confidence_milli(field))
        for field, value in found.items()
        if value and not _is_known(call, field, value)
    ]


def _confidence_milli(field: str) -> int:
    return SPELLED_MILLI if field == TICKET.field else HEARD_MILLI


def _is_known(call: Call, field: str, value: str) -> bool:
    known = told(call, field)
    if field == TICKET.field:
        return is_same_ticket(known, value)
    return bool(known) and names.is_same(known, value)
