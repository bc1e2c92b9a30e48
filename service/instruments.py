"""The instruments of one application, by what they measure; service/meter.py holds them together.

A name is what is measured and its unit: `stayline_gap_duration_seconds`. OpenTelemetry's name of it has dots
and no unit: `stayline.gap.duration`. Labels are few, and their values are words of our own lists.
"""

from collections.abc import Sequence
from typing import TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

TURN_SECONDS = (0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2, 3, 5, 10)
TOOL_SECONDS = (0.05, 0.1, 0.3, 1, 3, 10, 30, 60)
STORE_SECONDS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 3)
LAG_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1, 3)
JITTER_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.2)

CAUSES = ("new", "drop", "dtmf", "deploy", "crash", "duplicate")
INCIDENTS = ("drop_limit", "unreadable")
LOSSES = ("state_missing", "fold_mismatch", "asked_again", "told_already")
OUTCOMES = ("untouched", "survived", "lost")


def begun(counter: Counter, values: Sequence[str]) -> Counter:
    """Return a counter whose label's values all stand at 0: a rise is seen only from what stood before."""
    for value in values:
        counter.labels(value)
    return counter


class Continuity:
    """Whether conversations survive: what was lost of them, and what was found again."""

    def __init__(self, own: CollectorRegistry) -> None:
        self.context_losses = begun(
            Counter(
                "stayline_context_losses",
                "Moments at which a conversation showed that something of it was lost, by kind",
                ["kind"],
                registry=own,
            ),
            LOSSES,
        )
        self.conversations = begun(
            Counter(
                "stayline_conversations",
                "Conversations that ended here: untouched by a drop, survived one, or lost in one",
                ["outcome"],
                registry=own,
            ),
            OUTCOMES,
        )
        self.restores = Counter(
            "stayline_restores",
            "Calls that a stream took up again, by where their state was found",
            ["source"],
            registry=own,
        )
        self.unheard_in = Counter(
            "stayline_unheard_inbound_seconds",
            "What callers may have said while no stream brought it",
            registry=own,
        )
        self.unheard_out = Counter(
            "stayline_unheard_outbound_seconds",
            "What we sent and a stream's end kept from the caller; it is said again",
            registry=own,
        )
        self.detached = Counter(
            "stayline_streams_detached", "Media streams that went, by why", ["reason"], registry=own
        )


class Talking:
    """How the talk goes: turns, interruptions, tools, and how evenly sound comes."""

    def __init__(self, own: CollectorRegistry) -> None:
        self.turns = Histogram(
            "stayline_turn_duration_seconds",
            "From the caller's words written down to the first sound of the answer heard",
            buckets=TURN_SECONDS,
            registry=own,
        )
        self.barge_ins = Counter(
            "stayline_barge_ins", "Times that a caller cut our speech off", registry=own
        )
        self.operations = Counter(
            "stayline_operations", "Work of tools that ended, by how", ["status"], registry=own
        )
        self.operation_seconds = Histogram(
            "stayline_operation_duration_seconds",
            "From a tool's work being asked for to its end",
            buckets=TOOL_SECONDS,
            registry=own,
        )
        self.jitter = Histogram(
            "stayline_inbound_jitter_seconds",
            "Inter-arrival jitter of a stream's inbound audio (RFC 3550), at its end",
            buckets=JITTER_SECONDS,
            registry=own,
        )


class Machine:
    """How the process itself fares: its loop, its queues, its end."""

    def __init__(self, own: CollectorRegistry) -> None:
        self.loop_lag = Histogram(
            "stayline_loop_lag_seconds",
            "How late the event loop came to a timer",
            buckets=LAG_SECONDS,
            registry=own,
        )
        self.loop_stalls = Counter(
            "stayline_loop_stalls",
            "Times that the event loop hung for over 0.1 s; the log says where",
            registry=own,
        )
        self.reading_period = Gauge(
            "stayline_reading_period_seconds",
            "How long what a caller sends may wait to be read by a busy loop; 0 while it is read as it comes",
            registry=own,
        )
        self.speech_waiting = Gauge(
            "stayline_speech_waiting",
            "Clauses and utterances that wait for an engine",
            registry=own,
        )
        self.inbox_waiting = Gauge(
            "stayline_inbox_waiting",
            "Inputs that wait for the sessions of their calls, all together",
            registry=own,
        )
        self.inbox_waiting_max = Gauge(
            "stayline_inbox_waiting_max",
            "Inputs that wait for one session, where most do",
            registry=own,
        )
        self.drain_began = Gauge(
            "stayline_drain_began_timestamp_seconds",
            "When this process began to hand its calls over before its end; 0 while it doesn't",
            registry=own,
        )


class Waiting:
    """Streams that wait for us, and those that we wait for in vain."""

    def __init__(self, own: CollectorRegistry) -> None:
        self.streams = Gauge(
            "stayline_streams_waiting", "Streams that wait to be let in", registry=own
        )
        self.idle = Counter(
            "stayline_streams_idle", "Streams given up because nothing came", registry=own
        )


class Abandoned:
    """What becomes of calls whose server or stream is gone."""

    def __init__(self, own: CollectorRegistry) -> None:
        self.adopted = Counter(
            "stayline_calls_adopted", "Calls of servers that are gone, looked after", registry=own
        )
        self.redirected = Counter(
            "stayline_calls_redirected", "Of those, led back by the carrier", registry=own
        )
        self.closed = Counter(
            "stayline_calls_closed", "Of those, gone at the carrier", registry=own
        )
        self.callbacks = Counter(
            "stayline_callbacks",
            "Attempts to ring a caller back, by outcome",
            ["outcome"],
            registry=own,
        )
        self.carrier_errors = Counter(
            "stayline_carrier_errors",
            "Abandoned calls that the carrier knew nothing of",
            registry=own,
        )


class Store:
    """How the store fares: its answers, its room, and what it lacks while it is away."""

    def __init__(self, own: CollectorRegistry) -> None:
        self.seconds = Histogram(
            "stayline_store_duration_seconds",
            "How long the store took for an answer, by what it was asked",
            ["operation"],
            buckets=STORE_SECONDS,
            registry=own,
        )
        self.errors = Counter("stayline_store_errors", "Store failures", registry=own)
        self.bytes = Gauge(
            "stayline_store_bytes", "Bytes that calls take in a store with a quota", registry=own
        )
        self.pruned = Counter(
            "stayline_calls_pruned", "Calls that were over, erased for room", registry=own
        )
        self.degraded = Gauge(
            "stayline_store_degraded", "1 while calls go on without the store", registry=own
        )
        self.behind_calls = Gauge(
            "stayline_store_behind_calls", "Calls that the store lacks something of", registry=own
        )
        self.behind_records = Gauge(
            "stayline_store_behind_records", "Records that the store lacks", registry=own
        )
        self.behind_bytes = Gauge(
            "stayline_store_behind_bytes", "Bytes that the store lacks", registry=own
        )
        self.branches = Counter(
            "stayline_store_branches", "Calls that went on without the store", registry=own
        )
        self.flushed = Counter(
            "stayline_store_flushed", "Records that the store took later", registry=own
        )
        self.orphans = Counter(
            "stayline_store_orphans", "Branches lost to another owner", registry=own
        )


Group: TypeAlias = Continuity | Talking | Machine | Waiting | Abandoned | Store
