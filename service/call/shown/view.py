"""The call as the API shows it: design.md section 4's JSON, made from the state alone."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec

from service.audio import milliseconds
from service.call.afterwards import Voicemail
from service.call.callback import Callback
from service.call.events import AnyFact, Unknown, encode
from service.call.place import Placed
from service.call.privacy import Collection
from service.call.seat import Seat
from service.call.state import Call, Field, Line, Operation, StreamEntry

Json = dict[str, Any]
DOT = "•"  # stands for one key under seal


def timestamp(at_ms: int) -> str:
    """Return RFC 3339 in UTC with milliseconds."""
    at = datetime.fromtimestamp(at_ms // 1000, UTC).isoformat()
    return f"{at.removesuffix('+00:00')}.{at_ms % 1000:03d}Z"


def view(call: Call, *, incarnation: str) -> Json:
    """Return the call as JSON-ready values."""
    playback = call.playback
    return {
        "call_sid": call.call_sid,
        "tenant": call.tenant,
        "phase": call.phase,
        "stage": call.stage,
        "epoch": call.epoch,
        "incarnation": incarnation,
        "position": call.position,
        "from": call.from_number,
        "from_page": call.is_from_page,
        "to": call.to_number,
        "opened_at": timestamp(call.opened_ms),
        "updated_at": timestamp(call.updated_ms),
        "ended_at": None if call.ended_ms is None else timestamp(call.ended_ms),
        "parameters": {
            "client_name": call.parameters.get("client_name", ""),
            "company": call.parameters.get("company", ""),
            "ticket_id": call.parameters.get("ticket_id", ""),
            **call.parameters,
        },
        "fields": {name: _field(field) for name, field in call.fields.items()},
        "digits_pending": call.digits_pending,
        "saying": call.partial_text,
        "transcript": [_line(line) for line in call.transcript],
        "operations": [_operation(one) for one in call.operations],
        "streams": [_stream(stream) for stream in call.streams],
        "playback": {
            "prompt": playback.prompt,
            "generated_ms": milliseconds(playback.generated_samples),
            "synthesised_ms": milliseconds(playback.synthesised_samples),
            "sent_ms": milliseconds(playback.sent_samples),
            "heard_ms": milliseconds(playback.heard_samples),
        },
        "continues": call.continues or None,
        "carried_on": call.carried_on or None,
        "callback": _callback(call.callback),
        "dial_outcome": call.afterwards.dial_outcome,
        "voicemail": _voicemail(call.afterwards.voicemail),
        "notes": [
            {"position": n.position, "text": n.text, "by": n.by, "at": timestamp(n.at_ms)}
            for n in call.notes
        ],
        "taken_over": _seat(call.taken_over),
        "consent": call.privacy.consent or None,
        "collection": _collection(call.privacy.collection),
    }


def record_view(fact: AnyFact, place: Placed) -> Json:
    """Return one record as the API and the event stream show it."""
    if isinstance(fact, Unknown):
        body = json.loads(encode(fact))
        body = body if isinstance(body, dict) else {"kind": fact.kind}
    else:
        body = msgspec.json.decode(encode(fact))  # strict and fast: it is our own
    own = {"position": place.position, "epoch": place.epoch, "at": timestamp(place.at_ms)}
    return {**own, "kind": body.pop("kind", ""), **body, **own}


def _field(field: Field) -> Json:
    return {
        "value": field.value,
        "confirmed": field.confirmed,
        "source": field.source,
        "confidence": field.confidence_milli / 1000,
    }


def _line(line: Line) -> Json:
    return {
        "position": line.position,
        "who": line.who,
        "text": line.text,
        "heard": line.heard,
        "cut": line.cut,
        "at": timestamp(line.at_ms),
    }


def _callback(callback: Callback | None) -> Json | None:
    if callback is None:
        return None
    return {
        "step": callback.step,
        "attempts": callback.attempt,
        "call_sid": callback.call_sid or None,
        "outcome": callback.outcome or None,
        "at": timestamp(callback.since_ms),
    }


def _seat(held: Seat | None) -> Json | None:
    if held is None:
        return None
    since = timestamp(held.since_ms)
    return {"by": held.by, "named": held.is_named, "seat": held.seat, "since": since}


def _collection(one: Collection | None) -> Json | None:
    """As many dots as keys came: nobody here knows more."""
    if one is None:
        return None
    keys = DOT * one.keys
    return {"field": one.field, "keys": keys, "is_passed": one.is_passed, "sink": one.sink}


def _voicemail(left: Voicemail | None) -> Json | None:
    if left is None:
        return None
    return {"url": left.url, "duration_ms": left.duration_ms, "at": timestamp(left.at_ms)}


def _operation(one: Operation) -> Json:
    return {
        "id": one.operation,
        "tool": one.tool,
        "arguments": one.arguments,
        "status": one.status,
        "attempts": one.attempts,
        "approval": one.approval,
        "deadline_at": timestamp(one.deadline_ms),
        "result": json.loads(one.result) if one.result else None,
        "detail": one.detail,
    }


def _stream(stream: StreamEntry) -> Json:
    return {
        "stream_sid": stream.stream_sid,
        "epoch": stream.epoch,
        "cause": stream.cause,
        "attached_at": timestamp(stream.attached_ms),
        "detached_at": None if stream.detached_ms is None else timestamp(stream.detached_ms),
        "reason": stream.reason,
        "gap_ms": stream.gap_ms,
        "gap_heard_ms": stream.gap_heard_ms,
    }
