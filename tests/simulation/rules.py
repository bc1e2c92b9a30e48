"""The ten rules of the design, as code. Fed by what was heard, what was acknowledged, what tools did."""

import msgspec

from service.audio import milliseconds
from service.call import events as e
from service.call.callback import ATTEMPTS_MAX
from service.call.state import Call
from service.journal.values import Durability, Outcome, Record
from service.session.calling_back import waits
from service.simulator.streams.line import Line
from tests.simulation.exchange import Handset, SwiftLine
from tests.simulation.fleet import Fleet
from tests.simulation.folds import Folds
from tests.simulation.hearing import Hearing, heard_words, stream_numbers, was_greeted_apart
from tests.simulation.private import Discreet
from tests.simulation.server import Server
from tests.simulation.store import Row
from tests.simulation.witness import Told, is_taken

AHEAD_MS_MAX = 2_300  # two seconds, and a message that was begun before
STALE_MS = 1_000  # a server sees within a second that another stream took over
SOUND_ENDS = (
    "the caller hung up",
    "the service ended the call",
    "the document hung up",
    "no connection: nobody is there",  # the whole fleet was down: no carrier waits for that
    "no connection: the server died",  # it crashed under the last of the carrier's questions
)
OUTSIDE = ("error:", "adopted:", "over:")
WAIT_MS_MAX = 25  # 20 ms for the store, then the write-behind
GRAINS_A_WAIT = 3  # a busy processor sees late that time ran out, and that the shelf has written


class Rules:
    """The rules, and what they keep in mind of one run."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._witness = fleet.witness
        self._folds = Folds()
        self._discreet = Discreet(fleet.plan, fleet.witness)
        fleet.on_thought = self._discreet.thought
        self.waits: list[int] = []

    # After every write of the journal.

    def on_write(self, row: Row, new: tuple[Record, ...]) -> None:
        """Judge what the store took."""
        check, sid = self._witness.check, row.call_sid
        kept = self._witness.told.setdefault(sid, [])
        while kept and new and kept[-1].record.position >= new[0].position:
            kept.pop()  # The store lost it.
        latest = next((one.record.epoch for one in reversed(kept) if one.record.epoch), 0)
        for record in new:
            fact = e.decode(record.body)
            self._discreet.judge(sid, fact, kept, record.body)
            kept.append(Told(self._witness.now_ms(), record, fact))
            self._witness.note(
                "wrote", sid, f"{record.position} {record.epoch} {type(fact).__name__}"
            )
            check(2, record.epoch <= row.epoch, "a write under a fence that nobody holds")
            is_ours = not record.epoch or record.epoch >= latest
            check(2, is_ours, f"{sid}: an older owner wrote after a newer one")
            latest = max(latest, record.epoch)
            if isinstance(fact, e.Greeted):
                greetings = sum(isinstance(one.fact, e.Greeted) for one in kept)
                check(3, greetings == 1, f"{sid} is greeted {greetings} times")
                is_anew = was_greeted_apart(kept, self._seen_ms_ago)
                check(3, not is_anew, f"{sid} is greeted anew")
            if isinstance(fact, e.CallEnded):
                self._check_end(row, fact, kept)
            if isinstance(fact, e.AgentSpoke) and fact.who == "agent":
                check(4, not is_taken(kept), f"{sid}: the agent spoke in a person's place")

    def _check_end(self, row: Row, fact: e.CallEnded, told: list[Told]) -> None:
        phone = self._fleet.exchange.phones.get(row.call_sid)
        planned = any(
            isinstance(one.fact, e.EndingStarted | e.DropLimitReached | e.HangupRequested)
            for one in told
        )
        is_over = phone is None or phone.is_over or bool(phone.course.ended_by)
        self._witness.check(
            2, planned or is_over, f"{row.call_sid} was ended ({fact.reason}) while it lives"
        )

    def _seen_ms_ago(self, server: str) -> int:
        """Return what to take from a server's time: by how much its clock is ahead, and a glance of its processor's."""
        return self._fleet.ahead_ms(server) + self._fleet.plan.grain_ms

    # After every frame.

    def on_frame(self, line: Line, text: str, now_ms: int) -> None:
        """Judge what the service sent on a stream."""
        ahead_ms = milliseconds(line.leg.buffered(now_ms))
        self._witness.check(9, ahead_ms <= AHEAD_MS_MAX, f"{ahead_ms} ms are queued ahead")
        if line.replaced_ms and '"media"' in text[:40]:
            is_fresh = now_ms - line.replaced_ms <= STALE_MS
            self._witness.check(4, is_fresh, f"stream {line.number} still speaks")
        warnings = line.leg.warnings
        self._witness.check(10, not warnings, f"the carrier warns: {warnings}")

    def on_wait(self, server: Server, call_sid: str, took_ms: int, outcome: Outcome) -> None:
        """Judge how long the conversation waited for the store."""
        self.waits.append(took_ms)
        why = f"{server.name} waited {took_ms} ms for {call_sid}: {outcome}"
        max_ms = WAIT_MS_MAX + GRAINS_A_WAIT * self._fleet.plan.grain_ms
        self._witness.check(6, took_ms <= max_ms, why)

    # Now and then, and at the end.

    def on_look(self) -> None:
        """The state that a session works with is the fold of the journal."""
        for server in self._fleet.servers:
            if not server.is_serving:
                continue
            branches = server.parts.journal._roll.branches
            for sid, session in server.parts.switchboard._sessions.items():
                row, call = self._fleet.cabinet.state.rows.get(sid), session.call
                has_lost = server.parts.journal._roll.has_lost(sid, session.epoch)
                is_ours = row is not None and session.epoch == row.epoch and not has_lost
                if row is None or not is_ours or sid in branches or call.position > row.head:
                    continue
                if session._ledger.incarnation != row.incarnation or session._ledger._is_moved:
                    continue
                held = server.parts.journal._roll.held.get(sid)
                if held is not None and held.is_rebased:
                    continue
                state = self._folds.of((server.name, sid), row.records[: call.position])
                self._witness.check(
                    5, state == call, f"{server.name} {sid}: {_difference(state, call)}"
                )

    def is_settled(self) -> bool:
        """Whether all is well as far as can be seen: every call has its stream, nothing waits."""
        phones, servers = self._fleet.exchange.phones.values(), self._fleet.servers
        return (
            all(phone.is_over or self._is_quiet(phone) for phone in phones)
            and all(one.is_serving for one in servers)
            and not any(one.parts.journal.arrears.calls for one in servers)
        )

    def _is_quiet(self, phone: Handset) -> bool:
        """Whether a live call has its stream, every turn is answered, and all that was said is heard."""
        call = self._call_of(phone)
        is_answered = call is not None and call.turn is None and not call.prompts
        is_answered = is_answered and call is not None and call.taken_over is None
        return phone.is_live and is_answered

    def _is_put_through(self, phone: Handset) -> bool:
        """Whether the call is over for us, and the carrier puts its caller through to somebody."""
        call = self._call_of(phone)
        is_given = call is not None and (call.phase, call.ending) == ("ended", "transfer")
        return is_given and not phone.is_over

    def _call_of(self, phone: Handset) -> Call | None:
        row = self._fleet.cabinet.state.rows.get(phone.call_sid)
        return None if row is None else self._folds.of(phone.call_sid, row.records)

    def is_over(self) -> bool:
        """Whether every call is ended in the journal, no tool is at work, and nobody is to be rung any more."""
        rows = self._fleet.cabinet.state.rows.values()
        calls = (self._folds.of(row.call_sid, row.records) for row in rows)
        return all(
            call.phase == "ended" and not call.pending() and not _rings_yet(call) for call in calls
        )

    def when_settled(self) -> None:
        """Everything is well again: every call that lives has its stream, and is looked after."""
        for phone in self._fleet.exchange.phones.values():
            if self._is_put_through(phone):
                continue
            if not phone.is_over:
                self._witness.check(10, phone.is_live, f"{phone.call_sid} has no stream")
                is_quiet = self._is_quiet(phone)
                self._witness.check(10, is_quiet, f"{phone.call_sid} waits for an answer")
                continue
            by = phone.course.ended_by
            is_sound = by in SOUND_ENDS
            self._witness.check(10, is_sound, f"{phone.call_sid} ended: {by}")
        for server in self._fleet.servers:
            left = server.parts.journal.arrears
            self._witness.check(6, not left.calls, f"{server.name} still holds back {left}")

    def at_end(self) -> None:
        """Everybody has hung up."""
        self.on_look()
        self._check_acks()
        self._check_hearing()
        self._check_rings()
        for sid, row in self._fleet.cabinet.state.rows.items():
            call = self._folds.of(sid, row.records)
            phone = self._fleet.exchange.phones.get(sid)
            is_over = phone is None or phone.is_over
            self._witness.check(10, not is_over or call.phase == "ended", f"{sid} is never ended")
            ends = [one for one in call.operations if one.status == "pending"]
            self._witness.check(3, not ends, f"{sid}: {len(ends)} operations have no end")
        for key, count in self._fleet.tools.executions.items():
            self._witness.check(3, count <= 1, f"{key} was carried out {count} times")
        for phone in self._fleet.phones:
            if phone.failure is not None:
                raise phone.failure

    def _check_hearing(self) -> None:
        """Nothing counts as heard that was not, nothing is said over and over, what was cut is silent."""
        now_ms = self._fleet.clock.now_ms()
        origin_ms = now_ms - self._witness.now_ms()
        for phone in self._fleet.exchange.phones.values():
            heard = heard_words(phone.lines, now_ms, origin_ms)
            told = self._witness.told.get(phone.call_sid, [])
            ends_ms = {one.number: one.ended_ms - origin_ms for one in phone.lines if one.ended_ms}
            hearing = Hearing(
                phone.call_sid,
                told,
                heard,
                ends_ms=ends_ms,
                was_still=self._was_still(),
                clears_ms={
                    one.number: [ms - origin_ms for ms in one.clears_ms]
                    for one in phone.lines
                    if isinstance(one, SwiftLine)
                },
                numbers=stream_numbers(phone.lines),
                stalled=frozenset(
                    one.number
                    for one in phone.lines
                    if one._stalled_until_ms
                    or self._fleet.died_unheard
                    or phone.call_sid in self._fleet.unheard
                ),
                misdated=frozenset(
                    one.number
                    for one in phone.lines
                    if isinstance(one, SwiftLine) and one.seems_new()
                ),
            )
            hearing.judge(self._witness)

    def _check_rings(self) -> None:
        """Nobody is rung back more often than was promised, nor twice for one attempt."""
        phones = self._fleet.exchange.phones.values()
        for number in {phone.from_ for phone in phones}:
            rung = sum(bool(phone.card.rung) for phone in phones if phone.from_ == number)
            facts = [
                one.fact
                for phone in phones
                if phone.from_ == number
                for one in self._witness.told.get(phone.call_sid, ())
            ]
            asked = sum(isinstance(one, e.CallbackRequested) for one in facts)
            dialled = sum(isinstance(one, e.CallbackDialled) for one in facts)
            why = f"{number} was rung {rung} times, for {asked} requests and {dialled} attempts"
            self._witness.check(3, rung <= min(dialled, ATTEMPTS_MAX * asked), why)

    def _was_still(self) -> bool:
        fleet = self._fleet
        return any(server.stills for server in (*fleet.servers, *fleet.graves))

    def _check_acks(self) -> None:
        """No acknowledged record is lost."""
        for ack in self._witness.acks:
            row = self._fleet.cabinet.state.rows.get(ack.call_sid)
            if row is None:
                self._witness.check(
                    1, ack.call_sid in self._fleet.erased, f"{ack.call_sid} is gone"
                )
                continue
            if ack.key in row.keys:
                place = row.keys[ack.key]
                kept = tuple(one.body for one in row.records[place - len(ack.bodies) : place])
                is_first = ack.key.startswith(
                    OUTSIDE
                )  # Of those who say the same, the first stands.
                self._witness.check(
                    1, is_first or kept == ack.bodies, f"{ack.key} stands otherwise"
                )
                is_own = row.records[place - 1].epoch == ack.epoch
                self._witness.check(2, is_own, f"{ack.key} stands under another fence")
                continue
            lost = [
                body
                for record in row.records
                if isinstance(fact := e.decode(record.body), e.BranchOrphaned)
                for body in fact.lost
            ]
            is_orphan = all(body.decode() in lost for body in ack.bodies)
            is_kept = ack.durability is not Durability.REPLICA and is_orphan
            self._witness.check(
                1,
                is_kept or ack.durability is Durability.MEMORY,
                f"{ack.call_sid}: {ack.key} of {ack.server} at {ack.at_ms} ({ack.durability}) is lost: {ack.bodies!r}",
            )


def _rings_yet(call: Call) -> bool:
    """Whether a phone is still to ring for the call."""
    return waits(call) and call.callback is not None and call.callback.step != "placed"


def _difference(one: msgspec.Struct, other: msgspec.Struct) -> str:
    names = [name for name in one.__struct_fields__ if getattr(one, name) != getattr(other, name)]
    return "; ".join(f"{n}: {getattr(one, n)!r} is {getattr(other, n)!r}" for n in names)
