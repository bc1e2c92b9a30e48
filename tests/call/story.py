"""A call in memory, for tests: what happens is decided, written down and folded, as a session does it."""

from typing import Any

from service.call import acts as a, events as e, inputs as i
from service.call.decisions.decide import decide
from service.call.events import AnyFact
from service.call.folds.fold import fold
from service.call.inputs import Decision, Effect
from service.call.place import Place
from service.call.policy import Policy
from service.call.state import Call

START_MS = 1_700_000_000_000
SETTLE_MAX = 50


class Story:
    """The journal of one call, its state, and the effects that were asked for."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.call = Call(call_sid="CA1")
        self.now_ms = START_MS
        self.epoch = 0
        self.journal: list[tuple[AnyFact, Place]] = []
        self.effects: list[Effect] = []
        self.policy = policy or Policy()

    def write(self, *facts: AnyFact, is_outside: bool = False) -> Call:
        """Append facts and fold them; those from outside bear no epoch."""
        for fact in facts:
            epoch = 0 if is_outside else self.epoch
            place = Place(len(self.journal) + 1, epoch, self.now_ms)
            self.journal.append((fact, place))
            self.call = fold(self.call, fact, place)
        return self.call

    def tell(self, happened: i.Input) -> Decision:
        """Decide on one input and write; nothing that follows is settled."""
        decision = decide(self.call, happened, self.now_ms, self.policy)
        self.write(*decision.facts)
        self.effects.extend(decision.effects)
        return decision

    def happen(self, happened: i.Input) -> Decision:
        """Decide on one input, then settle, as a session does."""
        decision = self.tell(happened)
        self.settle()
        return decision

    def settle(self) -> None:
        """Let everything follow that follows from the state."""
        for _ in range(SETTLE_MAX):
            if not self.tell(i.Settle()).facts:
                return
        raise AssertionError("the state never settles")

    def opened(self, **parameters: str) -> Call:
        """The phone rang."""
        return self.write(e.CallOpened(call_sid="CA1", parameters=parameters), is_outside=True)

    def attach(
        self,
        stream_sid: str = "MZ1",
        *,
        door: i.Door = "resume",
        gap_ms: int = 0,
        is_live_here: bool = False,
        parameters: dict[str, str] | None = None,
        running: tuple[str, ...] = (),
        is_held_here: bool = False,
        lease_ms: int = 0,
        lost: str = "",
    ) -> Decision:
        """A stream takes the call."""
        self.epoch += 1
        return self.happen(
            i.Attached(
                stream_sid=stream_sid,
                door=door,
                server="s1",
                gap_ms=gap_ms,
                is_live_here=is_live_here,
                parameters=parameters or {},
                running=running,
                is_held_here=is_held_here,
                lease_ms=lease_ms,
                lost=lost,
            )
        )

    def drop(self, reason: str = "closed", *played: e.Played) -> Decision:
        """The stream goes."""
        sid = self.call.streams[-1].stream_sid
        return self.happen(i.Detached(sid, reason, self.now_ms, played))

    def facts(self, kind: type[Any]) -> list[Any]:
        """All facts of one kind, in their order."""
        return [fact for fact, _ in self.journal if isinstance(fact, kind)]

    def hear_out(self) -> None:
        """The caller hears everything that is to be said."""
        self.happen(
            i.Progress(tuple(whole(prompt.prompt, prompt.clauses) for prompt in self.call.prompts))
        )


def whole(prompt: str, clauses: tuple[str, ...]) -> e.Played:
    """A prompt that was heard to its end."""
    count = 8_000 * len(clauses)
    return e.Played(
        prompt=prompt,
        clauses=len(clauses),
        synthesised_samples=count,
        sent_samples=count,
        heard_samples=count,
    )


def greeted(policy: Policy | None = None) -> Story:
    """A call that was greeted, and heard it."""
    story = Story(policy or Policy(drops_max=2))
    story.opened(client_name="Maria", company="Acme")
    story.attach("MZ1", door="voice")
    story.happen(i.Answered(1, (a.Ask("Hello, who is there?", "name"),)))
    story.hear_out()
    return story


def speaking(policy: Policy | None = None) -> Story:
    """A call in the middle of a sentence."""
    story = greeted(policy)
    story.happen(i.Utterance("It's me."))
    story.happen(i.Answered(2, (a.Say("Thank you for the answer. I will look it up right now."),)))
    return story


def taken(story: Story, seat: str = "a", by: str = "Ana", *, from_seat: str = "") -> None:
    """A person asks for the agent's place, and the agent falls silent for them if they get it."""
    asked = e.TakeoverRequested(request="t", by=by, seat=seat, from_seat=from_seat)
    story.write(asked, is_outside=True)
    story.settle()


def handed_back(story: Story, seat: str = "a") -> None:
    """A person asks the agent to go on."""
    story.write(e.HandbackRequested(request="h", by="Ana", seat=seat), is_outside=True)
    story.settle()


def kinds(decision: Decision) -> list[str]:
    return [type(fact).__name__ for fact in decision.facts]
