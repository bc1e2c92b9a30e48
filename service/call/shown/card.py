"""A call in a few words: what a list of many calls shows of each, and by which words it is found. Pure."""

from typing import Any

from service.call.shown.timeline import Timeline
from service.call.shown.view import timestamp
from service.call.state import Call

Json = dict[str, Any]

LINE_LETTERS_MAX = 200  # of the last words: two lines of a list
WORDS_LETTERS_MAX = 50_000  # of what is searched: the newest hour of talk
FOR_EVER = 0


def card(timeline: Timeline, *, incarnation: str) -> Json:
    """Return the call as lists show it."""
    call = timeline.call
    last = call.streams[-1] if call.streams else None
    return {
        "call_sid": call.call_sid,
        "phase": call.phase,
        "stage": call.stage,
        "client_name": call.parameters.get("client_name", ""),
        "company": call.parameters.get("company", ""),
        "ticket_id": call.parameters.get("ticket_id", ""),
        "from": call.from_number,
        "to": call.to_number,
        "opened_at": timestamp(call.opened_ms),
        "updated_at": timestamp(call.updated_ms),
        "ended_at": None if call.ended_ms is None else timestamp(call.ended_ms),
        "drops": call.drops_since(FOR_EVER),
        "incidents": len(timeline.incidents),
        "streams": len(call.streams),
        "last_cause": last.cause if last else None,
        "gap_ms_last": last.gap_ms if last else 0,
        "last_line": _last_line(call),
        "taken_over_by": None if call.taken_over is None else call.taken_over.by,
        "server": timeline.server,
        "position": call.position,
        "incarnation": incarnation,
        "agent_waits": is_waiting_for_a_person(call),
    }


def is_waiting_for_a_person(call: Call) -> bool:
    """Whether a tool may work only once a person says so, and none did yet."""
    return any(one.approval == "asked" for one in call.pending())


def words(call: Call) -> str:
    """Return the text that a search looks through, case-folded, at most WORDS_LETTERS_MAX of it."""
    about = (
        call.call_sid,
        call.stage,
        call.from_number,
        call.to_number,
        *call.parameters.values(),
        *(field.value for field in call.fields.values()),
    )
    told = "\n".join(about)[-WORDS_LETTERS_MAX:]
    room = WORDS_LETTERS_MAX - len(told)
    said: list[str] = []
    for line in reversed(call.transcript):
        room -= len(line.text) + 1
        if room < 0:
            break
        said.append(line.text)
    return "\n".join((told, *said)).casefold()


def _last_line(call: Call) -> Json | None:
    if call.partial_text:
        return {"who": "caller", "text": call.partial_text[-LINE_LETTERS_MAX:]}
    for line in reversed(call.transcript):
        if line.text:
            return {"who": line.who, "text": line.text[-LINE_LETTERS_MAX:]}
    return None
