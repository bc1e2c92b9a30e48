"""The story of a call, for a person who has to find out why a test failed."""

from collections.abc import Iterable
from typing import Any

from service.simulator import words
from service.simulator.phone import Phone
from service.simulator.timeline import Kind

EVENTS_SHOWN = 60  # a minute of talk with a drop in it
LINES_SHOWN = 40

_NOISE = (Kind.MARK, Kind.FIRST_AUDIO)

Json = dict[str, Any]


class Unmet(AssertionError):
    """What a test expected of a call did not happen; the message tells the story of the call."""


def told(phone: Phone, state: Json, heard: str, errors: Iterable[BaseException]) -> str:
    """Return the carrier's timeline, what was heard, the transcript and what is known."""
    parts = [
        f"call {phone.call_sid}, {state.get('phase', 'unknown to the service')}",
        *_timeline(phone),
        f"heard: {heard or 'nothing'}",
        *map(_line, state.get("transcript", [])[-LINES_SHOWN:]),
        *_known(state),
        *(f"the agent raised {type(error).__name__}: {error}" for error in errors),
    ]
    return "\n".join(parts)


def _timeline(phone: Phone) -> list[str]:
    origin_ms = phone.timeline.origin_ms()
    events = [event for event in phone.timeline.events if event.kind not in _NOISE]
    left_out = len(events) - EVENTS_SHOWN
    lines = [f"  … {left_out} earlier events"] if left_out > 0 else []
    for event in events[-EVENTS_SHOWN:]:
        stream = f"stream {event.stream}" if event.stream else ""
        detail = " ".join(filter(None, (event.text, stream, str(event.value or ""))))
        lines.append(f"  {words.clock_text(event.at_ms - origin_ms)}  {event.kind:<14} {detail}")
    return lines


def _line(line: Json) -> str:
    text = str(line.get("text", ""))
    if line.get("who") != "caller" and line.get("heard", text) != text:
        return f"  {line.get('who')}: {text}  [heard: {line.get('heard') or 'nothing'}]"
    return f"  {line.get('who')}: {text}"


def _known(state: Json) -> list[str]:
    fields = {name: field.get("value") for name, field in state.get("fields", {}).items()}
    operations = [
        f"  operation {one.get('tool', '')} {one.get('status', '')} {one.get('detail', '')}".rstrip()
        for one in state.get("operations", [])
    ]
    return ([f"fields: {fields}"] if fields else []) + operations
