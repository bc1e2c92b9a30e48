"""What of a call that was cut off is carried into the one that goes on with it. Pure.

Cut off means: it is over, and not because we ended it. A farewell, a transfer, a message on the
voicemail end a conversation; a line that dies, a caller who hangs up in the middle, and too many drops
do not.
"""

import re

from service.call.afterwards import ANSWERED
from service.call.facts.ring import CarriedField, CarriedLine, CarriedTool, EarlierCarried, Proof
from service.call.state import Call

LINES_MAX = 12  # the end of the talk; what was settled before stands in the fields
LETTERS_MAX = 600  # of one line: half a minute of speech
FIELDS_MAX = 40  # a form of more is not asked on a phone
TOOLS_MAX = 20  # the newest; a call of more has gone round in circles
RESULT_LETTERS_MAX = 4_000  # of one tool's answer; more is a page, and is asked for anew

CUT_OFF = frozenset({
    "completed", "busy", "failed", "no-answer", "canceled", "gone_at_carrier", "drop_limit",
})  # fmt: skip
"""Ends that are the line's or the caller's doing: the carrier's words, and ours for what it told us."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# What some carriers write for a number that is withheld: ANONYMOUS and its like, keyed on a phone.
_WITHHELD = frozenset({
    "+266696687", "+7378742833", "+2562533", "+8566696", "+86282452253", "+17378742833",
})  # fmt: skip
_SIGNS = re.compile(r"[^0-9A-Z]+")


def is_own_number(number: str) -> bool:
    """Whether a number can stand for one line: E.164, and not what stands for a withheld one."""
    return _E164.fullmatch(number) is not None and number not in _WITHHELD


def can_be_rung(call: Call) -> bool:
    """Whether there is a line to ring the caller back on, and one of ours to ring from."""
    return is_own_number(call.customer_number) and is_own_number(call.our_number)


def has_matter(call: Call) -> bool:
    """Whether the caller told anything that a later call could go on with."""
    has_told = any(line.who == "caller" and line.text for line in call.transcript)
    has_answered = any(field.source != "directory" for field in call.fields.values())
    is_open = call.earlier is not None and call.earlier.standing == "open"
    return has_told or has_answered or is_open


def is_cut_off(call: Call) -> bool:
    """Whether the call is over, and not by an ending of ours, or of a human it was given to."""
    is_seen_to = call.afterwards.voicemail is not None or call.afterwards.dial_outcome in ANSWERED
    if call.phase != "ended" or call.ending or is_seen_to:
        return False
    return call.is_drop_limited or call.end_reason in CUT_OFF


def tickets(call: Call) -> tuple[str, ...]:
    """Return the names of the call's ticket: as it is written, and by its digits alone."""
    field = call.fields.get("ticket_id")
    told = field.value if field is not None else call.parameters.get("ticket_id", "")
    whole = ticket_name(told)
    digits = "".join(filter(str.isdecimal, whole))
    # An answer such as "none" has no digits, and is no ticket.
    return tuple(dict.fromkeys((whole, digits))) if digits else ()


def ticket_name(ticket: str) -> str:
    """Return a ticket number without what people leave out: "tkt-1234" is TKT1234."""
    return _SIGNS.sub("", ticket.upper())


def is_same_company(one: Call, other: Call) -> bool:
    """Whether both calls are known to be of one company; not when nobody knows."""
    return bool(_companies(one) & _companies(other))


def carried(call: Call, by: Proof) -> EarlierCarried:
    """Return what a call that was cut off hands on; bounded, and of our own lines what was heard.

    One that was cut off before its caller had said whether to go on with a still earlier one hands on
    that, too.
    """
    earlier = call.earlier
    fields = {
        name: CarriedField(one.value, one.confirmed, one.source, one.confidence_milli, one.at_ms)
        for name, one in call.fields.items()
    }
    tools = tuple(
        CarriedTool(one.tool, one.arguments, one.status, _short(one.result), one.detail)
        for one in call.operations
        if one.turn
    )
    said = tuple(
        CarriedLine(line.who, line.heard[:LETTERS_MAX]) for line in call.transcript if line.heard
    )
    stage, asked = call.stage, call.asked
    if earlier is not None and earlier.standing == "open":
        told = {name: one for name, one in fields.items() if one.source != "directory"}
        fields = {**fields, **earlier.fields, **told}
        stage, asked = earlier.stage, earlier.asked
    if earlier is not None:
        said, tools = (*earlier.transcript, *said), (*earlier.tools, *tools)
    return EarlierCarried(
        call_sid=call.call_sid,
        by=by,
        ended_ms=call.ended_ms or call.updated_ms,
        fields=dict(list(fields.items())[-FIELDS_MAX:]),
        stage=stage,
        asked=asked,
        transcript=said[-LINES_MAX:],
        tools=tools[-TOOLS_MAX:],
    )


def _companies(call: Call) -> set[str]:
    field = call.fields.get("company")
    told = (field.value if field is not None else "", call.parameters.get("company", ""))
    return {name for name in (_SIGNS.sub("", one.upper()) for one in told) if name}


def _short(result: str) -> str:
    """Half an answer is no JSON."""
    return result if len(result) <= RESULT_LETTERS_MAX else ""
