"""What a model has to know of a call that began without it: the transcript, cut to what was heard.

Our own words count as said only as far as the caller heard them, but for those that are still being
spoken. What the caller did not hear of a line that was cut is told in a note, so that the model can say it
again if it matters. History begins with a turn of the caller's, because some models take no other.
"""

import re
from collections import deque
from collections.abc import Iterator
from itertools import accumulate

import msgspec

from service.agent.duplex import Entry, Past, ToolUse
from service.agent.prompt import plain, was_done
from service.audio import milliseconds
from service.call.state import Call, Line, Operation

ENTRIES_MAX = 200  # half an hour of talk; models forget what is older by themselves
LETTERS_MAX = 40_000  # about 10,000 tokens: a third of the smallest memory that such a model has
EARLIER = "[The end of an earlier call of this caller.]"
CUT_OFF = "[That call was cut off here; the caller goes on with it.]"
PICKED_UP = "(The caller is on the line.)"

_KEYS = re.compile(r"[0-9A-D*#]+")


def history(call: Call) -> tuple[Past, ...]:
    """Return the newest part of the call that a model's memory holds, oldest first."""
    kept: list[Past] = []
    letters = 0
    for entry in reversed(_all(call)):
        letters += _letters(entry)
        if len(kept) >= ENTRIES_MAX or letters > LETTERS_MAX:
            break
        kept.append(entry)
    kept.reverse()
    first = kept[0] if kept else None
    if isinstance(first, Entry) and first.who == "caller":
        return tuple(kept)
    return (Entry("caller", PICKED_UP, PICKED_UP), *kept)


def earlier(call: Call) -> tuple[Past, ...]:
    """Return the end of an earlier call that the caller goes on with; nothing before they said so."""
    known = call.earlier
    if known is None or known.standing != "taken":
        return ()
    said = (
        spoken(line.text) if line.who == "caller" else Entry("agent", line.text, line.text)
        for line in known.transcript
    )
    end = "\n".join(filter(None, (CUT_OFF, was_done(call), _answered(call))))
    return (Entry("note", EARLIER, EARLIER), *said, Entry("note", end, end))


def _answered(call: Call) -> str:
    told = (f"{plain(name)}: {plain(one.value)}" for name, one in call.fields.items())
    return f"[What is known: {'; '.join(told)}.]" if call.fields else ""


def result(operation: Operation) -> str:
    """Return what the model is told of a tool's end, as JSON; empty while it is at work."""
    if operation.status == "pending":
        return ""
    if operation.status == "succeeded":
        return operation.result or '{"status": "succeeded"}'
    told = {"status": operation.status, "detail": operation.detail}
    return msgspec.json.encode(told).decode()


def _all(call: Call) -> list[Past]:
    """Return the transcript, and between its lines the tools, by the moment when they were asked for.

    A line that was written down late bears a late moment: it happened before the lines behind it.
    """
    playing = {prompt.position: prompt.heard_samples for prompt in call.prompts}
    moments = list(accumulate((line.at_ms for line in reversed(call.transcript)), min))[::-1]
    # What our own rules asked for has no turn, and the model knows nothing of it.
    tools = deque(sorted((one for one in call.operations if one.turn), key=_requested_ms))
    entries: list[Past] = []
    for line, at_ms in zip(call.transcript, moments, strict=True):
        while tools and tools[0].requested_ms < at_ms:
            entries.append(_use(tools.popleft()))
        entries.extend(told(line, playing.get(line.position)))
    return [*earlier(call), *entries, *map(_use, tools)]


def _requested_ms(one: Operation) -> int:
    return one.requested_ms


def _use(one: Operation) -> ToolUse:
    return ToolUse(one.operation, one.tool, one.arguments, result(one))


def told(line: Line, playing_samples: int | None = None) -> Iterator[Entry]:
    """Yield what a line of the transcript is to a model; `playing_samples` when it is being said."""
    if line.who == "caller":
        yield spoken(line.text)
        return
    if playing_samples is not None:
        yield Entry("agent", line.text, line.text, milliseconds(playing_samples))
        return
    if line.heard:
        yield Entry("agent", line.text, line.heard)
    rest = line.text[len(line.heard) :].strip() if line.text.startswith(line.heard) else line.text
    if line.cut and rest:
        yield unheard(rest)


def spoken(text: str) -> Entry:
    """Return what the caller said; keys that they pressed are marked as such."""
    text = f"[keyed {text}]" if _KEYS.fullmatch(text) else text
    return Entry("caller", text, text)


def unheard(text: str) -> Entry:
    """Return the note about words that the caller did not hear."""
    note = f"[The caller did not hear these words of yours: {text}]"
    return Entry("note", note, note)


def _letters(entry: Past) -> int:
    if isinstance(entry, ToolUse):
        return len(str(entry.arguments)) + len(entry.result)
    return len(entry.heard)
