"""Any order of a journal's operations, each answered as the reference answers."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from typing_extensions import override

from service.journal.journal import Journal
from service.journal.values import (
    Appended,
    Behind,
    Claim,
    Fenced,
    Known,
    Lease,
    Missing,
    Outcome,
    Reading,
    Snapshot,
    Spent,
    Unspendable,
)
from tests.machines.reference import Reference, ReferenceCall

Answer = TypeVar("Answer")
NOW_MS = 1_790_000_000_000
WINDOW_MS, USES_MAX = 30_000, 3
CALLS = st.sampled_from(["CAa", "CAb", "CAc"])
OWNERS = st.sampled_from(["one", "two"])
BODIES = st.lists(st.binary(max_size=40), min_size=1, max_size=4)
KEYS = st.sampled_from([f"key {number}" for number in range(12)])
OFF = st.sampled_from([0, 0, 0, 0, 1, -1])  # mostly the true number, sometimes one beside it
NAMES = st.sampled_from(["ticket 1", "ticket 2"])
HELD_MS = st.sampled_from([0, 1, 5_000, 15_000])


class JournalMachine(RuleBasedStateMachine):
    """One journal and the reference, side by side. A subclass says which journal."""

    def __init__(self, opened: Callable[[], Coroutine[Any, Any, Journal]]) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.journal: Journal = self.runner.run(opened())
        self.model = Reference()
        self.now_ms = NOW_MS

    @override
    def teardown(self) -> None:
        for call_sid in ("CAa", "CAb", "CAc"):
            self.run(self.journal.erase(call_sid))
        self.run(self.journal.close())
        self.runner.close()

    def run(self, asked: Coroutine[Any, Any, Answer]) -> Answer:
        return self.runner.run(asked)

    def call(self, call_sid: str) -> ReferenceCall | None:
        return self.model.calls.get(call_sid)

    @rule(span_ms=st.sampled_from([0, 1, 999, 15_000, 30_000]))
    def pass_time(self, span_ms: int) -> None:
        self.now_ms += span_ms

    @rule(call_sid=CALLS, bodies=BODIES)
    def open(self, call_sid: str, bodies: list[bytes]) -> None:
        told = self.run(self.journal.open(call_sid, bodies, now_ms=self.now_ms))
        call = self.call(call_sid) or self._opened(call_sid, told.incarnation, bodies)
        assert (told.incarnation, told.epoch, told.head, told.lease) == (
            call.incarnation,
            call.epoch,
            call.head,
            call.lease,
        )

    @rule(
        call_sid=CALLS,
        bodies=BODIES,
        owner=OWNERS,
        held_ms=HELD_MS,
        known=st.none() | st.integers(0, 9),
        expects=st.booleans(),
        off=OFF,
    )
    def claim(
        self,
        call_sid: str,
        bodies: list[bytes],
        owner: str,
        held_ms: int,
        known: int | None,
        *,
        expects: bool,
        off: int,
    ) -> None:
        call = self.call(call_sid)
        epoch = 0 if call is None else call.epoch
        expected = max(0, epoch + off) if expects else None
        incarnation = "another" if call is None else call.incarnation
        told = self.run(
            self.journal.claim(
                call_sid,
                bodies,
                owner=owner,
                until_ms=self.now_ms + held_ms,
                now_ms=self.now_ms,
                known=None if known is None else Known(incarnation, known),
                expected=expected,
            )
        )
        if expected not in (None, epoch):
            assert told == Fenced(epoch)
            return
        assert isinstance(told, Claim)
        if call is None:
            assert told.is_new
            call = self._opened(call_sid, told.incarnation, bodies)
        self._taken(call, told, known or 0)
        call.epoch += 1
        call.is_released = False
        call.hold(owner, self.now_ms + held_ms, self.now_ms)

    def _taken(self, call: ReferenceCall, told: Claim, known: int) -> None:
        """What a claim brings: what follows that which stands, else the snapshot and the rest."""
        assert (told.epoch, told.incarnation, told.lease) == (
            call.epoch + 1,
            call.incarnation,
            call.lease,
        )
        is_standing = 0 < known <= call.head and not told.is_new
        snapshot = None if is_standing else call.snapshot
        since = known if is_standing else snapshot.position if snapshot else 0
        assert told.since == (known if is_standing else 0)
        assert told.snapshot == snapshot
        assert list(told.records) == call.records[since:]

    @rule(call_sid=CALLS, bodies=BODIES, key=KEYS, off=OFF, behind=OFF, inside=st.booleans())
    def append(
        self, call_sid: str, bodies: list[bytes], key: str, off: int, behind: int, *, inside: bool
    ) -> None:
        call = self.call(call_sid)
        epoch = max(0, (call.epoch if call else 1) + off) if inside else None
        after = max(0, (call.head if call else 0) + behind) if inside else None
        told = self.run(
            self.journal.append(
                call_sid, bodies, epoch=epoch, after=after, key=key, now_ms=self.now_ms
            )
        )
        self._wrote(call, told, bodies, epoch, after, key)

    def _wrote(
        self,
        call: ReferenceCall | None,
        told: Outcome,
        bodies: list[bytes],
        epoch: int | None,
        after: int | None,
        key: str,
    ) -> None:
        if call is None:
            assert told == Missing()
        elif key in call.keys:
            assert isinstance(told, Appended)
            assert (told.position, told.repeated) == (call.keys[key], True)
        elif epoch not in (None, call.epoch):
            assert told == Fenced(call.epoch)
        elif after not in (None, call.head):
            assert told == Behind(call.head)
        else:
            call.write(bodies, epoch or 0, self.now_ms)
            call.keys[key] = call.head
            assert isinstance(told, Appended)
            assert (told.position, told.repeated) == (call.head, False)

    @rule(call_sid=CALLS, off=OFF, position=st.integers(1, 12), body=st.binary(max_size=20))
    def snapshot(self, call_sid: str, off: int, position: int, body: bytes) -> None:
        call = self.call(call_sid)
        epoch = max(1, (call.epoch if call else 1) + off)
        told = self.run(self.journal.snapshot(call_sid, epoch=epoch, position=position, body=body))
        may = call is not None and epoch == call.epoch and position <= call.head
        assert told is may
        if call and may and (call.snapshot is None or call.snapshot.position <= position):
            call.snapshot = Snapshot(position, body)

    @rule(call_sid=CALLS, off=OFF, owner=OWNERS, held_ms=HELD_MS)
    def lease(self, call_sid: str, off: int, owner: str, held_ms: int) -> None:
        call = self.call(call_sid)
        epoch = max(1, (call.epoch if call else 1) + off)
        until_ms = self.now_ms + held_ms
        told = self.run(
            self.journal.lease(
                call_sid, epoch=epoch, owner=owner, until_ms=until_ms, now_ms=self.now_ms
            )
        )
        assert told is (call is not None and epoch == call.epoch)
        if call and told:
            call.is_released = False
            call.hold(owner, until_ms, self.now_ms)

    @rule(call_sid=CALLS, owner=OWNERS, held_ms=HELD_MS, is_stale=st.booleans())
    def adopt(self, call_sid: str, owner: str, held_ms: int, *, is_stale: bool) -> None:
        call = self.call(call_sid)
        lapsed = call.lease if call else None
        lapsed = Lease("three", 1, self.now_ms, self.now_ms) if is_stale else lapsed
        until_ms = self.now_ms + held_ms
        told = self.run(
            self.journal.adopt(
                call_sid, lapsed=lapsed, owner=owner, until_ms=until_ms, now_ms=self.now_ms
            )
        )
        assert told is (call is not None and not is_stale and call.is_lapsed(self.now_ms))
        if call and told:
            call.hold(owner, until_ms, self.now_ms)

    @rule(call_sid=CALLS, off=OFF)
    def release(self, call_sid: str, off: int) -> None:
        call = self.call(call_sid)
        epoch = max(1, (call.epoch if call else 1) + off)
        told = self.run(self.journal.release(call_sid, epoch=epoch))
        assert told is (call is not None and epoch == call.epoch)
        if call and told:
            call.is_released = True

    @rule(call_sid=CALLS, nonce=st.sampled_from("xy"), stream=st.sampled_from(["MZ1", "MZ2"]))
    def spend(self, call_sid: str, nonce: str, stream: str) -> None:
        told = self.run(
            self.journal.spend(
                call_sid,
                nonce,
                stream_sid=stream,
                window_ms=WINDOW_MS,
                uses_max=USES_MAX,
                now_ms=self.now_ms,
            )
        )
        holder, uses, used_ms = self.model.tokens.get((call_sid, nonce), (stream, 0, self.now_ms))
        may = holder == stream and uses < USES_MAX and self.now_ms - used_ms <= WINDOW_MS
        if may:
            assert told == Spent(uses + 1)
            self.model.tokens[(call_sid, nonce)] = (stream, uses + 1, self.now_ms)
        else:
            assert isinstance(told, Unspendable)

    @rule(name=NAMES, call_sid=CALLS)
    def remember(self, name: str, call_sid: str) -> None:
        self.run(self.journal.remember(name, call_sid, ttl_ms=3_600_000, now_ms=self.now_ms))
        self.model.names[name] = call_sid

    @rule(call_sid=CALLS)
    def erase(self, call_sid: str) -> None:
        assert self.run(self.journal.erase(call_sid)) is self.model.erase(call_sid)

    @rule(call_sid=CALLS)
    def prune(self, call_sid: str) -> None:
        assert self.run(self.journal.prune(call_sid)) is self.model.prune(call_sid)

    @rule(name=NAMES)
    def recall(self, name: str) -> None:
        told = self.run(self.journal.recall(name, now_ms=self.now_ms))
        assert told == self.model.names.get(name)

    @rule(limit=st.integers(0, 4))
    def lapsed(self, limit: int) -> None:
        told = self.run(self.journal.lapsed(now_ms=self.now_ms, limit=limit))
        due = {
            sid: one.due_ms for sid, one in self.model.calls.items() if one.is_lapsed(self.now_ms)
        }
        assert [due[one.call_sid] for one in told] == sorted(due.values())[:limit]

    @invariant()
    def every_call_reads_as_it_was_written(self) -> None:
        for call_sid in ("CAa", "CAb", "CAc"):
            call, told = self.call(call_sid), self.run(self.journal.read(call_sid))
            if call is None:
                assert told == Missing()
                continue
            assert isinstance(told, Reading)
            assert list(told.records) == call.records
            assert (told.incarnation, told.epoch, told.head, told.snapshot) == (
                call.incarnation,
                call.epoch,
                call.head,
                call.snapshot,
            )

    def _opened(self, call_sid: str, incarnation: str, bodies: list[bytes]) -> ReferenceCall:
        call = self.model.calls[call_sid] = ReferenceCall(incarnation, self.now_ms)
        call.write(bodies, 0, self.now_ms)
        return call
