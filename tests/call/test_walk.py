"""Seeded random walks: whatever happens in whatever order, the promises hold after every step."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Literal

import pytest

from service.call import acts as a, events as e, inputs as i
from service.call.decisions.caller import DIGITS_PENDING_MAX
from service.call.decisions.decide import decide
from service.call.events import Known
from service.call.facts.ring import CarriedField
from service.call.folds.fold import fold, fold_all
from service.call.inputs import Input
from service.call.policy import Policy, ToolTerms
from service.call.private_inputs import AskPay, Collected, PayAsked, Sealed
from service.call.snapshot import packed, unpacked
from service.call.state import Call
from tests.call.story import Story

SEEDS = 300
STEPS = 60
TEXTS = ("", "Yes.", "No, it is TKT-1234, since this morning.", "Maria")
ACTS: tuple[a.Act, ...] = (
    a.Say("Hello Maria, thank you for calling. How can I help you today?"),
    a.Say(" "),
    a.Ask("What is your name?", "name"),
    a.Fill("name", "Maria"),
    a.Confirm("name"),
    a.Forget("name"),
    a.Enter("intake"),
    a.SendDigits("1w"),
    a.UseTool("lookup", {"id": "TKT-1"}),
    a.UseTool("note"),
    a.UseTool("refund"),
    a.GoOn(),
    a.StartAfresh(),
    a.Collect("The code, please.", "code", 1, 3),
    a.Collect("Your card.", "card", 13, 19, is_card=True),
)
CARRIED = e.EarlierCarried(
    call_sid="CA0",
    by="number",
    ended_ms=1,
    fields={"company": CarriedField("Acme", confirmed=True, source="speech")},
    stage="intake",
    asked="problem",
)
RINGING: tuple[e.Known, ...] = (
    CARRIED,
    e.CarriedOn(call_sid="CA2"),
    e.CallbackRequested(by="person"),
    e.CallbackDialled(attempt=1),
    e.CallbackPlaced(attempt=1, call_sid="CA2"),
    e.CallbackEnded(attempt=1, outcome="busy"),
)
TOOLS = {
    "lookup": ToolTerms(is_idempotent=True, attempts_max=3, timeout_ms=2_000),
    "note": ToolTerms(is_idempotent=False, attempts_max=1, timeout_ms=2_000),
    "refund": ToolTerms(is_idempotent=False, attempts_max=1, timeout_ms=900, approval_ms=9_000),
}
SEALED: tuple[Literal["", "end", "star"], ...] = ("", "end", "star")
ENDINGS: tuple[a.Act, ...] = (
    a.Transfer("+1"),
    a.Transfer(is_last_resort=True),
    a.HangUp(),
)


class Walk:
    """One walk of one seed: what may happen next, drawn by chance."""

    def __init__(self, seed: int, *, is_private: bool = False) -> None:
        self.chance = random.Random(seed)
        self.story = Story(
            Policy(
                drops_max=self.chance.choice((2, 50)),
                tools=TOOLS,
                summary_tool="lookup",
                consent_text="May I?" if is_private and seed % 7 == 0 else "",
                has_sink=is_private,
                pays=is_private and seed % 3 == 0,
            )
        )
        self.story.opened(client_name="Maria")

    def step(self) -> None:
        """Let one thing happen, often at an odd moment, and what follows from it."""
        self.story.now_ms += self.chance.choice((0, 20, 900, 9_000, 700_000))
        if self.chance.random() < 0.15:
            self.story.write(self._outside(), is_outside=True)
            self.story.settle()
            return
        kinds: tuple[Callable[[], Input], ...] = (
            self._attached, self._attached, self._detached, self._progress, self._progress,
            i.SpeechBegan, self._barge_in, self._utterance, self._utterance, self._key, self._key,
            self._answered, self._answered, self._answered, self._digits_done, self._carrier,
            self._partly_heard, self._operated, self._operated,
            self._sealed, lambda: Collected("c1", 1, "taken", "tok"), self._pay_asked, i.Move, lambda: i.EarlierFound(CARRIED), i.Woke, i.Settle,
        )  # fmt: skip
        if self.chance.random() < 0.05:
            self.story.hear_out()
            self.story.now_ms += 10_000
            self.story.happen(i.Woke())
        happened = self.chance.choice(kinds)()
        if isinstance(happened, i.Attached):
            self.story.epoch += 1
        self.story.happen(happened)

    def _sealed(self) -> Input:
        mark = self.chance.choice(SEALED)
        return Sealed(self.chance.randrange(3), fits=self.chance.random() < 0.8, mark=mark)

    def _pay_asked(self) -> Input:
        outcome: Literal["asked", "failed"] = self.chance.choice(("asked", "asked", "failed"))
        one = self.story.call.privacy.collection
        name, rounds = (one.collection, one.rounds) if one is not None else ("c1", 1)
        return PayAsked(name, rounds, outcome, "busy" if outcome == "failed" else "")

    def _outside(self) -> Known:
        request = f"r{self.chance.randrange(1_000)}"
        common: tuple[Known, ...] = (
            e.NoteAdded(text="VIP"),
            e.DigitsRequested(request=request, digits="1"),
            e.SayRequested(request=request, text="One moment, please."),
            e.SayRequested(request=request, text="Ana here.", seat="a"),
            self._seated(request),
            e.HandbackRequested(request=request, by="Ana", seat="a"),
            e.DropLimitReached(drops=3),
            e.StreamError(stream_sid=f"MZ{self.chance.randrange(4)}", code=31924),
            e.BranchOrphaned(epoch=1, count=2),
            e.CollectionEnded(collection=f"c{self.chance.randrange(1, 3)}", outcome="failed"),
            e.CallAdopted(server="s2", seen_ms=self.story.now_ms),
            e.StateDiffered(server="s2", position=1),
            e.OperationApproved(operation=self._operation()),
            e.OperationDenied(operation=self._operation()),
            e.OperationEnded(operation=self._operation(), status="succeeded"),
            e.AgentSpoke(prompt=f"m{request}", clauses=(), voice="model", is_open=True),
            *self._continued(),
            self.chance.choice(RINGING),
        )
        final: tuple[Known, ...] = (
            e.HangupRequested(request=request),
            e.TransferRequested(request=request, to_number="+1"),
            e.CallEnded(reason="completed"),
            e.DialEnded(outcome="busy"),
            e.VoicemailLeft(url="https://example.com/1"),
        )
        return self.chance.choice(final if self.chance.random() < 0.1 else common)

    def _seated(self, request: str) -> Known:
        seat, from_seat = self.chance.choice((("a", ""), ("b", ""), ("b", "a")))
        return e.TakeoverRequested(request=request, by=seat, seat=seat, from_seat=from_seat)

    def _operation(self) -> str:
        names = [operation.operation for operation in self.story.call.operations]
        return self.chance.choice([*names, "t99.9"])

    def _continued(self) -> tuple[Known, ...]:
        """More words of the prompts that are open."""
        return tuple(
            e.AgentContinued(
                prompt=prompt.prompt,
                clauses=(*prompt.clauses, "And more."),
                is_last=self.chance.random() < 0.5,
            )
            for prompt in self.story.call.prompts
            if prompt.is_open
        )

    def _partly_heard(self) -> Input:
        return i.PartlyHeard(self.chance.choice(TEXTS))

    def _operated(self) -> Input:
        return i.OperationDone(
            self._operation(),
            self.chance.randrange(1, 4),
            self.chance.choice(("succeeded", "failed", "unanswered")),
            may_retry=self.chance.random() < 0.5,
            retry_after_ms=self.chance.choice((0, 700)),
        )

    def _attached(self) -> Input:
        return i.Attached(
            stream_sid=f"MZ{self.chance.randrange(4)}",
            door=self.chance.choice(("voice", "resume", "redial")),
            server="s1",
            gap_ms=self.chance.choice((0, 400, 3_000)),
            is_live_here=self.chance.random() < 0.3,
            parameters=self.chance.choice(({}, {"client_name": "Eve"})),
            is_held_here=self.chance.random() < 0.5,
            running=tuple(
                one.operation for one in self.story.call.operations if self.chance.random() < 0.5
            ),
            lost="gone" if self.chance.random() < 0.02 else "",
        )

    def _played(self) -> tuple[e.Played, ...]:
        names = [prompt.prompt for prompt in self.story.call.prompts] + ["p1", "p999"]
        return tuple(
            e.Played(
                prompt=name,
                clauses=self.chance.randrange(4),
                part_samples=self.chance.randrange(900),
                part_of_samples=self.chance.randrange(900),
                heard_samples=self.chance.randrange(9_000),
            )
            for name in names
            if self.chance.random() < 0.5
        )

    def _detached(self) -> Input:
        reason = self.chance.choice(("stop", "closed", "idle", "replaced", "shutdown"))
        sid = f"MZ{self.chance.randrange(4)}"
        return i.Detached(sid, reason, self.story.now_ms, self._played())

    def _progress(self) -> Input:
        return i.Progress(self._played())

    def _barge_in(self) -> Input:
        return i.BargedIn(self._played())

    def _utterance(self) -> Input:
        length_ms = self.chance.choice((0, 900))
        text = self.chance.choice(TEXTS)
        return i.Utterance(text, 900, length_ms, is_partial=self.chance.random() < 0.2)

    def _key(self) -> Input:
        return i.Key(self.chance.choice("0123456789*#"), self._played())

    def _answered(self) -> Input:
        current = self.story.call.turns
        turn = current if self.chance.random() < 0.8 else self.chance.randrange(current + 2)
        acts = self.chance.choices(ACTS, k=self.chance.randrange(5))
        if self.chance.random() < 0.03:
            acts.append(self.chance.choice(ENDINGS))
        return i.Answered(turn, tuple(acts), is_last=self.chance.random() < 0.7)

    def _digits_done(self) -> Input:
        names = [request.request for request in self.story.call.requests] + ["r1"]
        return i.DigitsDone(
            self.chance.choice(names), self.chance.choice(("sent", "failed", "call_gone"))
        )

    def _carrier(self) -> Input:
        if self.chance.random() < 0.05:
            return i.EndingDone(is_gone=self.chance.random() < 0.5)
        if self.chance.random() < 0.05:
            return i.EndingImpossible("a page")
        if self.chance.random() < 0.05:
            return i.Measured(self.story.now_ms, "AA==", "AQ==")
        return i.CarrierSays(is_over=self.chance.random() < 0.02, outcome="x")


def check_step(before: Call, after: Call) -> None:
    """What no single step may do."""
    assert before.phase != "ended" or after.phase == "ended"
    assert after.epoch >= before.epoch
    assert after.is_greeted >= before.is_greeted
    assert len(after.digits_pending) <= DIGITS_PENDING_MAX
    for old, new in zip(before.transcript, after.transcript, strict=False):
        assert old.position == new.position
        assert new.text.startswith(old.text)
        assert new.heard.startswith(old.heard)
        assert new.cut >= old.cut
    for line in after.transcript:
        assert line.text.startswith(line.heard)
    heard = {prompt.prompt: prompt for prompt in before.prompts}
    for prompt in after.prompts:
        old_prompt = heard.get(prompt.prompt, prompt)
        assert old_prompt.clauses_heard <= prompt.clauses_heard
        assert prompt.clauses_heard < len(prompt.clauses) or prompt.is_open
        assert old_prompt.heard_samples <= prompt.heard_samples
        assert old_prompt.done_samples <= prompt.done_samples
    names = [prompt.prompt for prompt in after.prompts]
    assert len(set(names)) == len(names)


def check_seat(before: Call, story: Story, since: int) -> None:
    """While a person has the agent's place, nothing of the agent's is decided but that it lost the call."""
    if before.taken_over is None or story.call.taken_over is None:
        return
    facts = [fact for fact, place in story.journal[since:] if place.epoch]
    if any(isinstance(fact, e.ContextLost) for fact in facts):
        return
    spoke = [fact for fact in facts if isinstance(fact, e.AgentSpoke)]
    assert all(fact.who == "human" for fact in spoke)
    acts = (e.TurnAnswered, e.EndingPlanned, e.OperationRequested, e.CallerSilent)
    asked = bool(before.requests) or story.call.ending
    assert asked or not any(isinstance(fact, acts) for fact in facts)


def check_operations(story: Story) -> None:
    """Nothing is dispatched that wasn't requested, approved and pending; one that may act acts once."""
    dispatched = Counter(fact.operation for fact in story.facts(e.OperationDispatched))
    operated = [effect for effect in story.effects if isinstance(effect, i.Operate)]
    assert len(operated) == sum(dispatched.values())
    for one in story.call.operations:
        assert dispatched[one.operation] <= (99 if one.is_idempotent else 1), one
        assert one.status == "pending" or not one.is_running
        assert not one.approval_ms or one.approval == "granted" or not dispatched[one.operation]
    final: set[str] = set()
    for fact, _ in story.journal:
        if isinstance(fact, e.OperationDispatched):
            assert fact.operation not in final
        elif isinstance(fact, e.OperationEnded):
            final.add(fact.operation)


def check_journal(story: Story) -> None:
    """What holds of a whole call, however it went."""
    counts = Counter(type(fact) for fact, _ in story.journal)
    assert counts[e.Greeted] <= 1
    prompts = [fact.prompt for fact, _ in story.journal if isinstance(fact, e.AgentSpoke)]
    assert len(set(prompts)) == len(prompts)
    check_operations(story)
    started = [fact.request for fact, _ in story.journal if isinstance(fact, e.RestartPlanned)]
    played = [effect for effect in story.effects if isinstance(effect, i.PlayDigits)]
    assert [effect.request for effect in played] == started
    planned = [(fact.collection, fact.round) for fact in story.facts(e.PayPlanned)]
    pays = [effect for effect in story.effects if isinstance(effect, AskPay)]
    assert [(effect.collection, effect.round) for effect in pays] == planned
    assert len(set(planned)) == len(planned), "no round is asked for twice"
    stored = ((e.decode(e.encode(fact)), place) for fact, place in story.journal)
    assert fold_all(Call(call_sid="CA1"), stored) == story.call
    assert unpacked(packed(story.call)) == story.call


def check_snapshot(story: Story, at: int) -> None:
    """A snapshot anywhere, with what follows, is the same state."""
    first = fold_all(Call(call_sid="CA1"), story.journal[:at])
    call = unpacked(packed(first))
    for fact, place in story.journal[at:]:
        call = fold(call, fact, place)
    assert call == story.call


@pytest.mark.parametrize("first", range(0, SEEDS, 50))
def test_the_promises_hold_whatever_happens(first: int) -> None:
    for seed in range(first, first + 50):
        walk = Walk(seed, is_private=seed % 2 == 1)
        for step in range(STEPS):
            before, since = walk.story.call, len(walk.story.journal)
            try:
                walk.step()
                check_step(before, walk.story.call)
                check_seat(before, walk.story, since)
            except Exception as fault:
                raise AssertionError(f"seed {seed}, step {step}: {fault}") from fault
        check_journal(walk.story)
        check_snapshot(walk.story, walk.chance.randrange(len(walk.story.journal)))


def test_an_old_answer_never_writes_in_seeded_walks() -> None:
    for seed in range(50):
        walk = Walk(seed)
        for _ in range(STEPS):
            walk.step()
            call = walk.story.call
            old = i.Answered(call.turns + 1, (a.Say("Hello."), a.HangUp()))
            assert not decide(call, old, walk.story.now_ms).facts, f"seed {seed}"


def test_the_walks_reach_every_fact() -> None:
    seen: set[type] = set()
    for seed in range(200):
        walk = Walk(seed, is_private=seed % 2 == 1)
        for _ in range(STEPS):
            walk.step()
        seen |= {type(fact) for fact, _ in walk.story.journal}
    missing = {kind.__name__ for kind in e.Known.__args__} - {kind.__name__ for kind in seen}
    assert missing <= {"ContextLost", "ResumeTokenKept"}
