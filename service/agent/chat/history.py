"""What was said on a call, as messages to a model: our own lines only as far as they were heard.

    caller's line              user       keys as [keyed 12]
    our line, heard in part    assistant  the words heard; then a user's note with those that were not
    our line, being spoken     assistant  all of it: it goes on after a drop
    our line, never heard      user       a note
    a colleague's line         user       a note
    a tool                     assistant with tool_calls, and at once its answer

Notes are a user's, not a system's: many chat templates allow a system message in front only, and roles
that alternate. So neighbours of one role are joined, and the history begins with a user's message.
Tool call ids are nine letters and digits, the only form that every server takes.
"""

import json
import re
from typing import Any

import msgspec

from service.agent.prompt import owed, plain, short, was_done
from service.call.state import Call, Line, Operation, Turn

HISTORY_LETTERS_MAX = 24_000  # about 6,000 tokens: half an hour of talk, and still quick to read
LINE_LETTERS_MAX = 2_000  # of one line; two minutes of speech
RESULT_LETTERS_MAX = 6_000  # of one tool's answer; more is a page, and nobody reads it out

BEGINNING = "[The call begins.]"
EARLIER = "[The end of an earlier call of this caller.]"
CUT_OFF = "[That call was cut off here.]"
LEFT_OUT = "[The beginning of the call is left out here.]"
YOUR_TURN = "[It is your turn to speak.]"

_KEYS = re.compile(r"(?=.*[0-9*#])[0-9A-D*#]+")

Message = dict[str, Any]


class _Block(msgspec.Struct, frozen=True):
    """Messages that stand or fall together, and where they stand in the call."""

    position: int
    messages: tuple[Message, ...]

    def letters(self) -> int:
        return sum(len(json.dumps(message, ensure_ascii=False)) for message in self.messages)


def history(call: Call, turn: Turn) -> list[Message]:
    """Return the messages after the system's, up to what the turn asks for.

    They begin with a user's message, never end with the assistant's, and have at most about
    HISTORY_LETTERS_MAX letters: the oldest are left out.
    """
    blocks = _blocks(call)
    kept = _newest(blocks)
    messages = [message for block in kept for message in block.messages]
    is_result_last = bool(messages) and messages[-1]["role"] == "tool"
    note = owed(call, turn, is_result_last=is_result_last)
    first = user(BEGINNING if len(kept) == len(blocks) else LEFT_OUT)
    found = joined([*_earlier(call), first, *messages, *([user(note)] if note else [])])
    return [*found, user(YOUR_TURN)] if found[-1]["role"] == "assistant" else found


def joined(messages: list[Message]) -> list[Message]:
    """Join neighbours of one role; a call of a function takes in the words before it."""
    found: list[Message] = []
    for message in messages:
        before = found[-1] if found else {}
        is_same = before.get("role") == message["role"] != "tool" and "tool_calls" not in before
        if is_same:
            texts = (before["content"], message["content"])
            found[-1] = {**message, "content": "\n".join(filter(None, texts)) or None}
        else:
            found.append(message)
    return found


def user(text: str) -> Message:
    """Return a message of the caller's side: words or notes."""
    return {"role": "user", "content": text}


def called(calls: list[tuple[str, str, str]], content: str = "") -> Message:
    """Return the assistant's message with calls of functions, each an id, a name and JSON arguments."""
    return {
        "role": "assistant",
        "content": content or None,
        "tool_calls": [
            {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
            for id_, name, arguments in calls
        ],
    }


def answer(id_: str, content: str) -> Message:
    """Return the answer to a call of a function."""
    return {"role": "tool", "tool_call_id": id_, "content": content}


def _blocks(call: Call) -> list[_Block]:
    playing = frozenset(prompt.position for prompt in call.prompts)
    lines = [
        _Block(line.position, messages)
        for line in call.transcript
        if (messages := _line(line, is_playing=line.position in playing))
    ]
    tools = [
        _Block(_place(call, one), _operation(one, f"call{index:05d}"))
        for index, one in enumerate(call.operations)
        if one.turn  # What our own rules asked for is no business of the model.
    ]
    return sorted([*lines, *tools], key=lambda block: block.position)


def _earlier(call: Call) -> list[Message]:
    """The end of an earlier call that the caller goes on with; nothing of it before they said so."""
    earlier = call.earlier
    if earlier is None or earlier.standing != "taken":
        return []
    said = [
        user(plain(line.text))
        if line.who == "caller"
        else {"role": "assistant", "content": plain(line.text)}
        for line in earlier.transcript
    ]
    done = was_done(call)
    return [user(EARLIER), *said, user("\n".join(filter(None, (CUT_OFF, done))))]


def _newest(blocks: list[_Block]) -> list[_Block]:
    left = HISTORY_LETTERS_MAX
    kept: list[_Block] = []
    for block in reversed(blocks):
        left -= block.letters()
        if left < 0:
            break
        kept.insert(0, block)
    return kept


def _line(line: Line, *, is_playing: bool) -> tuple[Message, ...]:
    text = short(plain(line.text), LINE_LETTERS_MAX)
    if line.who == "caller":
        return _callers(text, is_broken_off=line.cut)
    heard = text if is_playing else short(plain(line.heard), LINE_LETTERS_MAX)
    missed = text.removeprefix(heard).strip()
    messages = []
    if heard and line.who == "agent":
        messages.append({"role": "assistant", "content": heard})
    elif heard:
        messages.append(user(f'[A colleague of yours told the caller: "{heard}"]'))
    if missed:
        what = "the rest of that" if heard else "what you meant to say"
        messages.append(user(f'[The caller did not hear {what}: "{missed}"]'))
    return tuple(messages)


def _callers(text: str, *, is_broken_off: bool) -> tuple[Message, ...]:
    if not text:
        return ()
    said = f"[keyed {text}]" if _KEYS.fullmatch(text) else text
    return (user(f"{said} [the line broke off here]" if is_broken_off else said),)


def _place(call: Call, one: Operation) -> int:
    """A tool stands where its answer came; one that is still at work, where it was asked for."""
    if one.ended_position:
        return one.ended_position
    before = [
        line.position
        for line in call.transcript
        if line.at_ms < one.requested_ms
        or (line.at_ms == one.requested_ms and line.who == "agent")  # words go before acts
    ]
    return max(before, default=0)


def _operation(one: Operation, id_: str) -> tuple[Message, ...]:
    arguments = json.dumps(one.arguments, ensure_ascii=False)
    return (called([(id_, one.tool, arguments)]), answer(id_, _outcome(one)))


def _outcome(one: Operation) -> str:
    """What came of a tool, so that nothing untrue can be told of it."""
    detail = _sentence(one.detail)
    match one.status:
        case "succeeded":
            return short(one.result, RESULT_LETTERS_MAX) or "Done."
        case "failed":
            return f"It failed, and nothing was done.{detail}"
        case "timed_out":
            return f"It did not answer in time, and nothing was changed.{detail}"
        case "unknown":
            return (
                f"Nobody knows whether this was done.{detail} Tell the caller so, and do not do it "
                "again unless they ask for it."
            )
        case "pending" if one.approval == "asked":
            return "A colleague has to approve this first, and has not decided yet."
        case "pending":
            return "Still running; its answer comes later."


def _sentence(detail: str) -> str:
    """Return the detail as one more sentence; parts of the house write theirs without a stop."""
    if not detail:
        return ""
    return f" {detail[0].upper()}{detail[1:]}{'' if detail.endswith(('.', '!', '?')) else '.'}"
