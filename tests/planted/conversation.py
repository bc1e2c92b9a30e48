"""Bugs in how one call talks, drops and comes back."""

from typing import Final

from tests.planted.bug import Bug

CONVERSATION: Final = (
    Bug(
        name="greet-on-every-connect",
        rule=3,
        file="service/call/folds/connection.py",
        before="""\
    if not call.is_known():
        turns.begin(call, "opening", place.position)
""",
        after="""\
    turns.begin(call, "opening", place.position)
""",
        suites=("tests/session/test_session.py",),
    ),
    Bug(
        name="fence-outside-the-transaction",
        rule=2,
        file="service/journal/sqlite/journal.py",
        before="""\
        return await self._writing.run(job, call_sid=call_sid)

    async def read(""",
        after="""\
        found = await self.read(call_sid)
        if isinstance(found, Missing) or epoch is None or found.epoch != epoch:
            return await self._writing.run(job, call_sid=call_sid)

        def unfenced(connection: object) -> Outcome:
            row = readings.find(connection, call_sid)
            return job(connection, epoch=row.epoch if row else epoch)

        return await self._writing.run(unfenced, call_sid=call_sid)

    async def read(""",
        suites=("tests/journal/test_journal.py", "tests/journal/sqlite/test_journal.py"),
    ),
    Bug(
        name="no-wait-for-replicas",
        rule=1,
        file="service/journal/redis/pump.py",
        before="needed = 0 if self._is_reading else line.replicas",
        after="needed = 0",
        suites=("tests/journal/redis/test_pump.py", "tests/journal/redis/test_replicas.py"),
    ),
    Bug(
        name="marks-of-clear-credited",
        rule=3,
        file="service/protocol/playout.py",
        before="        self._marks.begin(self._buffer.sent)\n",
        after="",
        suites=("tests/protocol/test_playout.py", "tests/session/speaking/test_mouth.py"),
    ),
    Bug(
        name="stale-queue-kept",
        rule=4,
        file="service/protocol/playout.py",
        before="""\
        is_playing = self._heard_to(now_ms) < self._buffer.sent
        self._waiting.clear()
""",
        after="""\
        is_playing = self._heard_to(now_ms) < self._buffer.sent
""",
        suites=("tests/protocol/test_playout.py", "tests/session/speaking/test_mouth.py"),
    ),
    Bug(
        name="token-reusable",
        rule=7,
        file="service/journal/tokens.py",
        before="    if not is_same_stream:\n        return OTHER_STREAM\n",
        after="",
        suites=("tests/journal/test_tokens.py", "tests/web/stream/test_media.py"),
    ),
    Bug(
        name="tool-dispatched-again",
        rule=3,
        file="service/call/decisions/operation.py",
        before="        elif one.is_idempotent and one.attempts <= one.attempts_max:\n",
        after="        elif one.attempts <= one.attempts_max:\n",
        suites=("tests/call/decisions/test_operation.py", "tests/session/test_working.py"),
    ),
    Bug(
        name="late-stop-of-an-older-stream",
        rule=2,
        file="service/session/session.py",
        before="        if lost.epoch != self.epoch or not self._line.is_live:\n",
        after="        if not self._line.is_live:\n",
        suites=("tests/session/test_ownership.py",),
    ),
    Bug(
        name="a-streams-end-ends-the-call",
        rule=2,
        file="service/call/decisions/decide.py",
        before="    return Decision((*caller.advanced(call, detached.played), gone))\n",
        after="""\
    ended = (e.CallEnded(reason="stopped"),) if detached.reason == "stop" else ()
    return Decision((*caller.advanced(call, detached.played), gone, *ended))
""",
        suites=("tests/call/decisions/test_decide.py", "tests/session/test_session.py"),
    ),
    Bug(
        name="gap-not-recorded",
        rule=5,
        file="service/call/decisions/decide.py",
        before="            gap_ms=attached.gap_ms,\n            server=",
        after="            gap_ms=0,\n            server=",
        suites=("tests/call/decisions/test_decide.py", "tests/session/test_session.py"),
    ),
    Bug(
        name="snapshot-drops-a-record",
        rule=5,
        file="service/journal/sqlite/readings.py",
        before="        after = 0 if snapshot is None else snapshot.position\n",
        after="        after = 0 if snapshot is None else snapshot.position + 1\n",
        suites=("tests/journal/test_journal.py",),
    ),
    Bug(
        name="echo-moves-the-pointer-back",
        rule=3,
        file="service/protocol/playout.py",
        before="self._heard = max(self._heard, min(played, limit))",
        after="self._heard = min(played, limit)",
        suites=("tests/protocol/test_playout.py",),
    ),
    Bug(
        name="write-after-act",
        rule=1,
        file="service/session/scribe.py",
        before="""\
            written = Written.DONE
            if decision.facts:
""",
        after="""\
            written = Written.DONE
            for effect in decision.effects:
                self._act(effect)
            decision = type(decision)(decision.facts)
            if decision.facts:
""",
        suites=("tests/session/test_scribe.py",),
    ),
    Bug(
        name="clear-never-sent",
        rule=4,
        file="service/session/speaking/mouth.py",
        before="""\
        if self._playout.clear(now_ms) or self._outflow.is_stalled:
            self._clear(now_ms)
""",
        after="""\
        if self._playout.clear(now_ms) or self._outflow.is_stalled:
            self._outflow.drop()
""",
        suites=("tests/session/speaking/test_mouth.py",),
    ),
    Bug(
        name="what-was-stuck-follows-the-clear",
        rule=4,
        file="service/session/speaking/mouth.py",
        before="        self._outflow.drop()\n",
        after="",
        suites=("tests/session/speaking/test_mouth.py",),
    ),
    Bug(
        name="mute-after-a-cut-in-one-turn-of-the-loop",
        rule=10,
        file="service/session/speaking/mouth.py",
        before="""\
        try:
            audio = await self._audio(text)
""",
        after="""\
        _, clause, text = self._to_render[0]
        try:
            audio = await self._audio(text)
""",
        suites=("tests/session/speaking/test_mouth.py",),
    ),
    Bug(
        name="what-is-stuck-counts-as-heard",
        rule=3,
        file="service/session/speaking/outflow.py",
        before="self._clock.now_ms() if self._stood_ms is None else self._stood_ms",
        after="self._clock.now_ms()",
        suites=("tests/session/speaking/test_mouth.py", "tests/session/speaking/test_outflow.py"),
    ),
    Bug(
        name="cut-clause-skipped",
        rule=3,
        file="service/session/speaking/mouth.py",
        before="for clause in range(prompt.clauses_heard, len(prompt.clauses))",
        after="for clause in range(prompt.clauses_heard + 1, len(prompt.clauses))",
        suites=("tests/session/speaking/test_mouth.py", "tests/session/test_session.py"),
    ),
    Bug(
        name="what-clear-took-back-counts-as-heard",
        rule=3,
        file="service/protocol/playout.py",
        before="clause.again(self._queued, sure, to, reached)",
        after="clause.again(self._queued, sure, self._buffer.sent, reached)",
        suites=("tests/protocol/test_playout.py",),
    ),
    Bug(
        name="a-hold-believes-a-late-echo",
        rule=3,
        file="service/protocol/playout.py",
        before="            if clause.end > whole:",
        after="            if clause.end > to:",
        suites=("tests/protocol/test_playout.py",),
    ),
    Bug(
        name="older-stream-still-heard",
        rule=2,
        file="service/session/mooring.py",
        before="if epoch != self._ledger.epoch or not line.heard_audio",
        after="if not self._ledger.epoch or not line.heard_audio",
        suites=("tests/session/test_ownership.py",),
    ),
    Bug(
        name="words-kept-before-the-yes",
        rule=8,
        file="service/call/decisions/private.py",
        before="    i.Utterance: consent.heard,\n",
        after="",
        suites=("tests/simulation/test_private.py",),
    ),
    Bug(
        name="a-reference-that-is-the-number",
        rule=8,
        file="service/session/vault.py",
        before="            self._tell(effect, outcome, reference=reference)\n",
        after="            self._tell(effect, outcome, reference=number)\n",
        suites=("tests/simulation/test_private.py",),
    ),
)
