"""A call as a trace: which spans its facts make. Pure.

    call CA…                                     one trace, whichever servers held the call
      ├─ stream 1 ───────┤   ├─ stream 2 ────┤   a gap lies between
      │   ├─ turn ─┤           ├─ turn ┤
      │     ├ append ┤           ├─ tool ──┤
      │                        │ context_loss    a moment

The ids are made of the CallSid and what tells the span from others of the call, so a server that takes the
call over goes on with the same trace, knowing nothing but the call. A span is told by whoever writes the
fact that ends it; that of a server that died in mid-stream is told by its successor.
"""

import hashlib
from collections.abc import Sequence
from typing import Literal

import msgspec

from service.call import events as e
from service.call.shown.incidents import Kind
from service.call.state import NO_DROPS, Call, Operation, StreamEntry, Turn
from service.call.survival import survival

Name = Literal["call", "stream", "turn", "tool", "append", "context_loss"]
Attributes = dict[str, str | int | bool]

ROOT = "call"
_PROPER_ENDS = ("stop", "ended", "replaced", *NO_DROPS)


class Span(msgspec.Struct, frozen=True):
    """One span. `key` tells it from all others of its call; `parent` is a key, "" for the root."""

    call_sid: str
    name: str
    key: str
    from_us: int
    to_us: int
    parent: str = ROOT
    is_failed: bool = False
    attributes: Attributes = {}

    @property
    def trace_id(self) -> int:
        """128 bits that every server makes of the same call."""
        return _number(f"trace:{self.call_sid}", 16)

    @property
    def span_id(self) -> int:
        """64 bits."""
        return span_id(self.call_sid, self.key)


def span_id(call_sid: str, key: str) -> int:
    """Return the id of the span of a call that `key` names."""
    return _number(f"span:{call_sid}:{key}", 8)


def _number(text: str, size: int) -> int:
    """Return a number of so many bytes that is not 0, which would be no id."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:size]) or 1


def root(call: Call) -> Span:
    """Return the span of a whole call that is over."""
    ended_ms = call.updated_ms if call.ended_ms is None else call.ended_ms
    outcome = survival(call)
    return Span(
        call.call_sid,
        ROOT,
        ROOT,
        call.opened_ms * 1_000,
        max(call.opened_ms, ended_ms) * 1_000,
        parent="",
        is_failed=outcome == "lost",
        attributes={
            "gen_ai.conversation.id": call.call_sid,
            "stayline.conversation.outcome": outcome,
            "stayline.streams": len(call.streams),
            "stayline.drops": sum(one.cause in ("drop", "crash") for one in call.streams[1:]),
            "stayline.turns": call.turns,
        },
    )


def stream(call: Call, one: StreamEntry) -> Span:
    """Return the span of a stream that is gone."""
    assert one.detached_ms is not None
    return Span(
        call.call_sid,
        "stream",
        stream_key(one.epoch),
        one.attached_ms * 1_000,
        max(one.attached_ms, one.detached_ms) * 1_000,
        is_failed=one.reason not in _PROPER_ENDS,
        attributes={
            "stayline.stream.epoch": one.epoch,
            "stayline.stream.cause": one.cause,
            "stayline.stream.reason": one.reason,
            "stayline.gap_ms": one.gap_ms,
            "stayline.gap_heard_ms": one.gap_heard_ms,
        },
    )


def stream_key(epoch: int) -> str:
    """Name the span of the stream that holds the call under this epoch."""
    return f"stream:{epoch}"


def turn(before: Call, one: Turn, now_ms: int, *, is_answered: bool) -> Span:
    """Return the span of a turn that was answered, or given up because the caller spoke over it."""
    return Span(
        before.call_sid,
        "turn",
        f"turn:{one.number}",
        min(now_ms, _opened_ms(before, one, now_ms)) * 1_000,
        now_ms * 1_000,
        parent=stream_key(before.epoch),
        attributes={
            "gen_ai.operation.name": "invoke_agent",
            "stayline.turn.number": one.number,
            "stayline.turn.reason": one.reason,
            "stayline.turn.outcome": "answered" if is_answered else "given_up",
        },
    )


def _opened_ms(call: Call, one: Turn, now_ms: int) -> int:
    """When a turn was opened: with the caller's words, or with the stream; else nobody noted it."""
    for line in reversed(call.transcript):
        if line.position == one.position:
            return line.at_ms
    if one.reason in ("opening", "context_lost") and call.streams:
        return call.streams[-1].attached_ms
    return now_ms


def tool(after: Call, one: Operation, now_ms: int) -> Span:
    """Return the span of a tool's work that came to its end."""
    return Span(
        after.call_sid,
        "tool",
        f"tool:{one.operation}",
        min(one.requested_ms, now_ms) * 1_000,
        now_ms * 1_000,
        parent=stream_key(after.epoch),
        is_failed=one.status != "succeeded",
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": one.tool,
            "stayline.tool.status": one.status,
            "stayline.tool.attempts": one.attempts,
        },
    )


def append(after: Call, facts: Sequence[e.Known], now_us: int, took_us: int) -> Span:
    """Return the span of a write to the journal that has just been acknowledged."""
    return Span(
        after.call_sid,
        "append",
        f"append:{after.epoch}:{after.position}",
        now_us - took_us,
        now_us,
        parent=stream_key(after.epoch),
        attributes={
            "stayline.position": after.position,
            "stayline.records": len(facts),
            "stayline.kinds": ",".join(dict.fromkeys(_kind(fact) for fact in facts)),
        },
    )


def _kind(fact: e.Known) -> str:
    return str(type(fact).__struct_config__.tag)


def loss(before: Call, kind: Kind, number: int, now_ms: int) -> Span:
    """Return the moment at which the call showed that something of it was lost; `number` tells several apart."""
    return Span(
        before.call_sid,
        "context_loss",
        f"loss:{before.position}:{number}",
        now_ms * 1_000,
        now_ms * 1_000,
        parent=stream_key(before.epoch) if before.streams else ROOT,
        is_failed=True,
        attributes={"stayline.context_loss.kind": kind, "stayline.position": before.position},
    )


def new_ends(before: Call, after: Call) -> tuple[StreamEntry, ...]:
    """Return the streams that are gone since, but for one that the call's own end took along."""
    gone = {one.epoch for one in before.streams if one.detached_ms is not None}
    return tuple(
        one
        for one in after.streams
        if one.detached_ms is not None and one.epoch not in gone and one.reason != "ended"
    )


def new_outcomes(before: Call, after: Call) -> tuple[Operation, ...]:
    """Return the tools' work that came to its end since."""
    pending = {one.operation for one in before.operations if one.status == "pending"}
    known = {one.operation for one in before.operations}
    return tuple(
        one
        for one in after.operations
        if one.status != "pending" and (one.operation in pending or one.operation not in known)
    )
