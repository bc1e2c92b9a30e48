"""What each write means to those who watch: the same facts become figures, log lines and spans.

    scribe ── wrote(before, facts, after) ──┬─> meter
                                            ├─> log       (incidents alone; the rest is told where it happens)
                                            └─> traces

Whoever writes a fact counts it, and nobody else does: a call that is taken over is not counted again.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Protocol

from service.audio import milliseconds, samples
from service.call import events as e
from service.call.folds.fold import fold
from service.call.place import Place
from service.call.shown.incidents import Kind, incident
from service.call.state import Call, Prompt
from service.call.survival import survival
from service.meter import Meter
from service.redaction import own_words
from service.sight import spans
from service.sight.spans import Span

REASONS = ("stop", "closed", "idle", "error", "left", "replaced", "restart", "shutdown", "ended")
TURN_MS_MAX = 60_000  # what is answered later answers something else

# The facts that may show a loss, or open and close what is measured: others pass at the price of a look.
_LOSABLE = (e.ContextLost, e.StateDiffered, e.CallerSpoke, e.AgentSpoke, e.AgentContinued)

_log = logging.getLogger(__name__)


class Traces(Protocol):
    """Where spans go."""

    def tell(self, span: Span) -> None:
        """Pass a span on. Never waits, never raises."""
        ...


class Sight:
    """How the calls of one process are seen. Without `traces` no span is made."""

    def __init__(self, meter: Meter, traces: Traces | None = None) -> None:
        self._meter = meter
        self._traces = traces

    def wrote(
        self,
        before: Call,
        facts: Sequence[e.Known],
        after: Call,
        *,
        now_us: int,
        took_us: int = 0,
    ) -> None:
        """Facts were written here, and turned the state from `before` into `after`."""
        now_ms = now_us // 1_000
        for fact in facts:
            self._count(before, fact, now_ms)
        for number, kind in enumerate(_losses(before, facts, now_ms)):
            self.lost(before, kind, now_ms, number)
        if before.streams is not after.streams:
            for gone in spans.new_ends(before, after):
                self._detached(gone.reason)
                self._tell(spans.stream(after, gone))
            self._meter.continuity.unheard_out.inc(_unheard_ms(facts) / 1_000)
        if before.operations is not after.operations:
            self._worked(before, after, now_ms)
        if self._traces is not None:
            self._trace(before, facts, after, now_us, took_us)

    def lost(self, call: Call, kind: Kind, now_ms: int, number: int = 0) -> None:
        """The conversation showed that something of it was lost."""
        self._meter.continuity.context_losses.labels(kind=kind).inc()
        last = call.streams[-1] if call.streams else None
        _log.warning(
            "! context lost: %s, at position %d of epoch %d, stream %d, %d ms after it came (%s, gap %d ms)",
            own_words(kind),
            call.position,
            call.epoch,
            len(call.streams),
            now_ms - last.attached_ms if last else 0,
            own_words(last.cause if last else "none"),
            last.gap_ms if last else 0,
            extra={"action": f"context_{kind}", "call_sid": call.call_sid, "epoch": call.epoch},
        )
        self._tell(spans.loss(call, kind, number, now_ms))

    def restored(self, source: str) -> None:
        """A stream took up a known call; `source` says where its state was: here, snapshot, records, nowhere."""
        self._meter.continuity.restores.labels(source=source).inc()

    def heard(self, jitter_samples: int | None) -> None:
        """A stream is gone whose audio came so unevenly; None when none came."""
        if jitter_samples is not None:
            self._meter.talking.jitter.observe(jitter_samples / samples(1_000))

    def closed(self, call: Call, ended: e.CallEnded, now_ms: int) -> Call:
        """An abandoned call was found to be over; return it as it is then."""
        self._meter.abandoned.closed.inc()
        return fold(call, ended, Place(call.position + 1, 0, now_ms))

    def ended(self, call: Call) -> None:
        """The call is over, and it was ours to see it off."""
        self._meter.calls_ended.inc()
        self._meter.continuity.conversations.labels(outcome=survival(call)).inc()
        for last in call.streams[-1:]:
            if last.reason == "ended":
                self._detached(last.reason)
                self._tell(spans.stream(call, last))
        self._tell(spans.root(call))

    def _count(self, before: Call, fact: e.Known, now_ms: int) -> None:
        match fact:
            case e.Played():
                self._played(before, fact, now_ms)
            case e.SpeechCut() if fact.reason in ("barge_in", "key"):
                self._meter.talking.barge_ins.inc()
            case e.StreamAttached() if fact.cause != "new":
                missed_ms = max(0, fact.gap_ms - fact.gap_heard_ms)
                self._meter.continuity.unheard_in.inc(missed_ms / 1_000)
            case _:
                pass

    def _worked(self, before: Call, after: Call, now_ms: int) -> None:
        for one in spans.new_outcomes(before, after):
            self._meter.talking.operations.labels(status=one.status).inc()
            took_ms = max(0, now_ms - one.requested_ms)
            self._meter.talking.operation_seconds.observe(took_ms / 1_000)
            self._tell(spans.tool(after, one, now_ms))

    def _played(self, before: Call, fact: e.Played, now_ms: int) -> None:
        prompt = next((one for one in before.prompts if one.prompt == fact.prompt), None)
        if prompt is None or prompt.heard_samples or not fact.heard_samples:
            return
        took_ms = now_ms - milliseconds(fact.heard_samples) - _asked_ms(before, prompt)
        if 0 <= took_ms <= TURN_MS_MAX:
            self._meter.talking.turns.observe(took_ms / 1_000)

    def _detached(self, reason: str) -> None:
        word = reason.partition(" ")[0]
        told = word if word in REASONS else "other"
        self._meter.continuity.detached.labels(reason=told).inc()

    def _trace(
        self, before: Call, facts: Sequence[e.Known], after: Call, now_us: int, took_us: int
    ) -> None:
        self._tell(spans.append(after, facts, now_us, took_us))
        turn = before.turn
        if turn is not None and (after.turn is None or after.turn.number != turn.number):
            answered = any(
                isinstance(one, e.TurnAnswered) and one.turn == turn.number for one in facts
            )
            self._tell(spans.turn(before, turn, now_us // 1_000, is_answered=answered))

    def _tell(self, span: Span) -> None:
        if self._traces is not None:
            self._traces.tell(span)


def _losses(before: Call, facts: Sequence[e.Known], now_ms: int) -> Iterator[Kind]:
    """Yield what these facts show to be lost; each is looked at in the state that it was written to.

    Whoever wrote them has folded them, too, but keeps no state in between: a fact is folded here only when one
    after it has to be looked at, and of most writes that is none.
    """
    call, folded = before, 0
    for nth, fact in enumerate(facts):
        if not isinstance(fact, _LOSABLE):
            continue
        for passed in facts[folded:nth]:
            call = fold(call, passed, Place(call.position + 1, call.epoch, now_ms))
        folded = nth
        kind = incident(call, fact)
        if kind is not None:
            yield kind


def _unheard_ms(facts: Sequence[e.Known]) -> int:
    """How much of our speech a stream's end kept from the caller."""
    if not any(isinstance(fact, e.StreamDetached) for fact in facts):
        return 0
    sent = (fact for fact in facts if isinstance(fact, e.Played))
    return milliseconds(sum(max(0, one.sent_samples - one.heard_samples) for one in sent))


def _asked_ms(call: Call, prompt: Prompt) -> int:
    """When the caller said what a prompt is the first answer to; in the distant future if it answers nothing.

    A drop in between is no slowness of ours: what was asked on an earlier stream does not count.
    """
    before = [line for line in call.transcript[-8:] if line.position < prompt.position]
    asked = before[-1] if before else None
    if not prompt.turn or asked is None or asked.who != "caller" or asked.cut or not call.streams:
        return 1 << 60
    return asked.at_ms if asked.at_ms >= call.streams[-1].attached_ms else 1 << 60
