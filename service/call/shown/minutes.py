"""The minutes of a call: what was said, what was not heard, and where the line was gone, as text. Pure."""

from service.call.shown.gaps import Gap
from service.call.shown.lanes import Speech
from service.call.shown.timeline import Timeline
from service.call.shown.view import timestamp

NAMES = {"caller": "Caller", "agent": "Agent", "human": "Colleague"}


def minutes(timeline: Timeline) -> str:
    """Return the talk as lines of text, oldest first, with times counted from the call's beginning.

    Words of ours that the caller did not hear stand in square brackets.
    """
    call = timeline.call
    about = (
        ("Call", call.call_sid),
        ("Client", call.parameters.get("client_name", "")),
        ("Company", call.parameters.get("company", "")),
        ("Ticket", call.parameters.get("ticket_id", "")),
        ("From", call.from_number),
        ("To", call.to_number),
        ("Began", timestamp(call.opened_ms)),
        ("Ended", "" if call.ended_ms is None else timestamp(call.ended_ms)),
    )
    head = [f"{name}: {_one_line(value)}" for name, value in about if value]
    told = [
        *((one.from_ms, 1, _said(one, call.opened_ms)) for one in timeline.speech()),
        *((gap.from_ms, 0, _gone(gap, call.opened_ms)) for gap in timeline.gaps()),
    ]
    lines = [line for _, _, line in sorted(told, key=lambda one: one[:2])]
    notes = [f"Note: {_one_line(note.text)}" for note in call.notes]
    fields = [f"{name}: {_one_line(one.value)}" for name, one in call.fields.items()]
    parts = (head, lines, fields, notes)
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _said(one: Speech, since_ms: int) -> str:
    text = one.text
    if one.who != "caller":
        words = one.text.split()
        heard = len(one.heard.split())
        missed = f"[not heard: {' '.join(words[heard:])}]" if words[heard:] else ""
        text = " ".join(filter(None, (" ".join(words[:heard]), missed)))
    elif one.cut:
        text = f"{text} …"
    return f"{_clock(one.from_ms - since_ms)} {NAMES.get(one.who, one.who)}: {_one_line(text)}"


def _gone(gap: Gap, since_ms: int) -> str:
    if gap.before_epoch is None:
        return f"{_clock(gap.from_ms - since_ms)} --- the line is gone ---"
    seconds = f"{gap.gap_ms // 1000}.{gap.gap_ms % 1000 // 100} s"
    missed = f"; never heard: {gap.missed_by_caller}" if gap.missed_by_caller else ""
    told = _one_line(f"{gap.cause}, {seconds}; {', '.join(gap.restored)}{missed}")
    return f"{_clock(gap.from_ms - since_ms)} --- the line was gone: {told} ---"


def _clock(ms: int) -> str:
    seconds = max(0, ms) // 1000
    return f"{seconds // 60:02d}:{seconds % 60:02d}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
