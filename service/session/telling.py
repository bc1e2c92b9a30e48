"""What a session tells the log and the meter."""

import logging
from collections.abc import Sequence

from service.call import events as e
from service.call.state import Call
from service.errors import StoreError
from service.meter import Meter
from service.redaction import own_words

_log = logging.getLogger(__name__)


def tell_attached(call: Call, meter: Meter, server: str, *, gap_ms: int, took_us: int) -> None:
    """A stream took the call; `took_us` is since its `start` was read, `server` this one's name in the journal."""
    stream = call.streams[-1]
    cause = stream.cause
    meter.streams.labels(cause=cause).inc()
    if cause != "new":
        meter.returned(gap_ms, took_us)
    _log.info(
        "= stream attached: %s, epoch %d, gap %d ms",
        own_words(cause),
        call.epoch,
        gap_ms,
        extra={
            "action": "stream_attached",
            "call_sid": call.call_sid,
            "stream_sid": stream.stream_sid,
            "server": own_words(server),
        },
    )


def tell_detached(call_sid: str, stream_sid: str, reason: str) -> None:
    """A stream is gone."""
    _log.info(
        "= stream detached: %s",
        own_words(reason),
        extra={"action": "stream_detached", "call_sid": call_sid, "stream_sid": stream_sid},
    )


def tell_seats(call_sid: str, facts: Sequence[e.Known]) -> None:
    """A person has taken the agent's place, or the agent goes on."""
    for fact in facts:
        match fact:
            case e.TakenOver():
                told = "taken over by a person"
            case e.HandedBack():
                told = f"handed back: {fact.reason}"
            case _:
                continue
        _log.info("= %s", own_words(told), extra={"action": "seat_changed", "call_sid": call_sid})


def tell_fenced(call_sid: str, meter: Meter) -> None:
    """Another owner has the call."""
    meter.fenced.inc()
    _log.info("= fenced", extra={"action": "fenced", "call_sid": call_sid})


def tell_store_failed(call_sid: str, meter: Meter, trouble: StoreError) -> None:
    """The store took no more, so this hold on the call is over."""
    meter.store.errors.inc()
    _log.error(
        "! the store failed; the carrier will bring the call back: %s",
        trouble,
        extra={"action": "store_failed", "call_sid": call_sid},
    )
