"""Everything that happened in one call, with its time: what tests wait for, people watch, reports check.

    Event(at_ms, kind, text, stream, value)        `stream` counts the call's streams: 1, 2, 3 ... (0: none)

The kinds are a closed set. Times are milliseconds since the epoch; readers turn them into "since the
first stream began".
"""

import enum
from collections.abc import Callable

import msgspec

EVENTS_MAX = 100_000  # an hour of marks and keys; a call that makes more has run away


class Kind(enum.StrEnum):
    """What can happen to a call, as seen from the carrier's side."""

    RANG = "rang"
    ASKED = "asked"  # a webhook was answered; value: milliseconds it took
    ASK_FAILED = "ask_failed"
    ANSWERED = "answered"
    STREAM_OPENED = (
        "stream_opened"  # `start` was sent; value: milliseconds since the stream before ended
    )
    STREAM_FAILED = "stream_failed"  # the handshake failed; value: Twilio's error code
    STREAM_ENDED = "stream_ended"  # value: Twilio's error code, 0 when it ended well
    FORK_OPENED = "fork_opened"  # a stream that only listens; text: its name
    FORK_FAILED = "fork_failed"  # value: Twilio's error code
    FORK_ENDED = "fork_ended"  # value: Twilio's error code, 0 when it ended well
    FIRST_AUDIO = (
        "first_audio"  # value: milliseconds from `start` to the stream's first outbound media
    )
    AGENT_BEGAN = "agent_began"
    AGENT_STOPPED = "agent_stopped"
    CALLER_BEGAN = "caller_began"
    CALLER_STOPPED = "caller_stopped"
    KEY = "key"  # the caller pressed it
    KEY_LOST = "key_lost"  # the caller pressed it while no stream was there
    DIGITS_SENT = "digits_sent"  # <Play digits>
    MARK = "mark"
    CLEAR = "clear"
    WARNING = "warning"  # the service broke the protocol; value: Twilio's code
    STALE_AUDIO = "stale_audio"  # audio still came on a stream that another one had replaced
    FAULT = "fault"
    ORDER = "order"  # a REST update
    PAID = "paid"  # a <Pay> is over; text: Twilio's word
    DIAL_ENDED = "dial_ended"  # text: Twilio's word; value: milliseconds of talk
    RECORDED = "recorded"  # text: the recording's URL; value: its milliseconds
    VERB = "verb"  # any other verb that was performed
    CALLBACK = "callback"  # a status callback; value: the HTTP status of the answer, 0 for none
    HUNG_UP = "hung_up"
    NOTE = "note"


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened."""

    at_ms: int
    kind: Kind
    text: str = ""
    stream: int = 0
    value: int = 0


class Timeline:
    """The row of events of one call, in the order in which they happened."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._listeners: list[Callable[[Event], None]] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with every event from now on."""
        self._listeners.append(listener)

    def note(
        self, at_ms: int, kind: Kind, text: str = "", *, stream: int = 0, value: int = 0
    ) -> None:
        """Add an event; beyond EVENTS_MAX nothing more is kept, and nobody is told."""
        if len(self.events) >= EVENTS_MAX:
            return
        event = Event(at_ms, kind, text, stream, value)
        self.events.append(event)
        for listener in self._listeners:
            listener(event)

    def of(self, *kinds: Kind) -> list[Event]:
        """Return the events of these kinds, oldest first."""
        return [event for event in self.events if event.kind in kinds]

    def count(self, kind: Kind) -> int:
        """Return how often this happened."""
        return sum(event.kind is kind for event in self.events)

    def origin_ms(self) -> int:
        """Return when the first stream began, else when the call rang, else 0: the zero of all script times."""
        for kind in (Kind.STREAM_OPENED, Kind.RANG):
            for event in self.events:
                if event.kind is kind:
                    return event.at_ms
        return 0

    def lines(self) -> str:
        """Return the events as JSON lines, each with its time since the origin in milliseconds."""
        origin = self.origin_ms()
        rows = (msgspec.to_builtins(e) | {"since_ms": e.at_ms - origin} for e in self.events)
        return "".join(msgspec.json.encode(row).decode() + "\n" for row in rows)
