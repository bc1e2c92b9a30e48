"""Seeded random walks: whatever happens in whatever order, the promises hold after every step."""

import random
from collections import Counter
from collections.abc import Callable

import pytest

from service.call import acts as a, events as e, inputs as i, state
from service.call.decide import DIGITS_PENDING_MAX, decide
from service.call.events import Known
from service.call.fold import fold, fold_all
from service.call.inputs import Input
from service.call.resume import Limits
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
)
ENDINGS: tuple[a.Act, ...] = (a.Transfer("+1"), a.HangUp())


class Walk:
    """One walk of one seed: what may happen next, drawn by chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.story = Story(Limits(drops_max=self.chance.choice((2, 50))))
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
            i.Woke, i.Settle,
        )  # fmt: skip
        happened = self.chance.choice(kinds)()
        if isinstance(happened, i.Attached):
            self.story.epoch += 1
        self.story.happen(happened)

    def _outside(self) -> Known:
        request = f"r{self.chance.randrange(1_000)}"
        common: tuple[Known, ...] = (
            e.NoteAdded(text="VIP"),
            e.DigitsRequested(request=request, digits="1"),
            e.SayRequested(request=request, text="One moment, please."),
            e.DropLimitReached(drops=3),
        )
        final: tuple[Known, ...] = (
            e.HangupRequested(request=request),
            e.TransferRequested(request=request, to_number="+1"),
            e.CallEnded(reason="completed"),
        )
        return self.chance.choice(final if self.chance.random() < 0.1 else common)

    def _attached(self) -> Input:
        return i.Attached(
            stream_sid=f"MZ{self.chance.randrange(4)}",
            door=self.chance.choice(("voice", "resume", "redial")),
            server="s1",
            gap_ms=self.chance.choice((0, 400, 3_000)),
            is_live_here=self.chance.random() < 0.3,
            parameters=self.chance.choice(({}, {"client_name": "Eve"})),
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
        return i.Answered(turn, tuple(acts))

    def _digits_done(self) -> Input:
        names = [request.request for request in self.story.call.requests] + ["r1"]
        return i.DigitsDone(
            self.chance.choice(names), self.chance.choice(("sent", "failed", "call_gone"))
        )

    def _carrier(self) -> Input:
        if self.chance.random() < 0.05:
            return i.EndingDone(is_gone=self.chance.random() < 0.5)
        return i.CarrierSays(is_over=self.chance.random() < 0.02, outcome="x")


def check_step(before: Call, after: Call) -> None:
    """What no single step may do."""
    assert before.phase != "ended" or after.phase == "ended"
    assert after.epoch >= before.epoch
    assert after.is_greeted >= before.is_greeted
    assert len(after.digits_pending) <= DIGITS_PENDING_MAX
    for old, new in zip(before.transcript, after.transcript, strict=False):
        assert (old.position, old.text) == (new.position, new.text)
        assert new.heard.startswith(old.heard)
        assert new.cut >= old.cut
    for line in after.transcript:
        assert line.text.startswith(line.heard)
    heard = {prompt.prompt: prompt for prompt in before.prompts}
    for prompt in after.prompts:
        old_prompt = heard.get(prompt.prompt, prompt)
        assert old_prompt.clauses_heard <= prompt.clauses_heard < len(prompt.clauses)
        assert old_prompt.heard_samples <= prompt.heard_samples
        assert old_prompt.done_samples <= prompt.done_samples
    names = [prompt.prompt for prompt in after.prompts]
    assert len(set(names)) == len(names)


def check_journal(story: Story) -> None:
    """What holds of a whole call, however it went."""
    counts = Counter(type(fact) for fact, _ in story.journal)
    assert counts[e.Greeted] <= 1
    prompts = [fact.prompt for fact, _ in story.journal if isinstance(fact, e.AgentSpoke)]
    assert len(set(prompts)) == len(prompts)
    started = [fact.request for fact, _ in story.journal if isinstance(fact, e.RestartPlanned)]
    played = [effect for effect in story.effects if isinstance(effect, i.PlayDigits)]
    assert [effect.request for effect in played] == started
    stored = ((e.decode(e.encode(fact)), place) for fact, place in story.journal)
    assert fold_all(Call(call_sid="CA1"), stored) == story.call
    assert state.decode(state.encode(story.call)) == story.call


def check_snapshot(story: Story, at: int) -> None:
    """A snapshot anywhere, with what follows, is the same state."""
    first = fold_all(Call(call_sid="CA1"), story.journal[:at])
    call = state.decode(state.encode(first))
    for fact, place in story.journal[at:]:
        call = fold(call, fact, place)
    assert call == story.call


@pytest.mark.parametrize("first", range(0, SEEDS, 50))
def test_the_promises_hold_whatever_happens(first: int) -> None:
    for seed in range(first, first + 50):
        walk = Walk(seed)
        for step in range(STEPS):
            before = walk.story.call
            try:
                walk.step()
                check_step(before, walk.story.call)
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
    for seed in range(100):
        walk = Walk(seed)
        for _ in range(STEPS):
            walk.step()
        seen |= {type(fact) for fact, _ in walk.story.journal}
    missing = {kind.__name__ for kind in e.Known.__args__} - {kind.__name__ for kind in seen}
    assert missing <= {"ContextLost"}
