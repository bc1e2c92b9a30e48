"""Calls made for replays: between them they hold every input, and every row of what a return brings."""

from collections.abc import Callable

from service.call import acts as a, events as e, inputs as i
from service.call.facts.ring import CarriedField
from service.call.policy import Policy, ToolTerms
from service.call.replay.recording import Recording, recorded
from tests.call.story import Story, greeted, handed_back, speaking, taken, whole

TERMS = ToolTerms(is_idempotent=True, attempts_max=3, timeout_ms=2_000)
RULES = Policy(
    drops_max=2,
    tools={
        "lookup": TERMS,
        "note": ToolTerms(is_idempotent=False, attempts_max=1, timeout_ms=2_000),
        "refund": ToolTerms(is_idempotent=True, attempts_max=1, timeout_ms=900, approval_ms=9_000),
    },
    summary_tool="lookup",
    calls_back=True,
)
CARRIED = e.EarlierCarried(
    call_sid="CA0", by="number", ended_ms=1, fields={"company": CarriedField("Acme")}
)


def taped(story: Story, policy: Policy | None = None) -> Recording:
    """Return what a story left behind, with the policy it was decided by."""
    records = [(place.epoch, place.at_ms, e.encode(fact)) for fact, place in story.journal]
    return recorded(records, call_sid="CA1", incarnation="i1", policy=policy or story.policy)


def away(story: Story, ms: int, *, gap_ms: int = 0, is_held_here: bool = True) -> Story:
    """The stream goes, and comes back after `ms`."""
    story.now_ms += 40
    story.drop()
    story.now_ms += ms
    story.attach("MZ9", gap_ms=gap_ms or ms, is_held_here=is_held_here)
    story.now_ms += 40
    return story


def returning() -> Story:
    """In silence, in the middle of a word, in the middle of a sentence, and ten minutes later."""
    story = away(greeted(Policy(drops_max=50)), 3_000)
    story.hear_out()
    story.happen(i.SpeechBegan())
    story.happen(i.PartlyHeard("I have"))
    away(story, 900, is_held_here=False)
    story.happen(i.Progress(tuple(whole(one.prompt, one.clauses) for one in story.call.prompts)))
    story.happen(i.SpeechBegan())
    away(story, 200)
    story.happen(i.Utterance("I have a problem.", 900, 900))
    story.happen(i.Answered(story.call.turns, (a.Say("I see. And then?"), a.Fill("name", "Ada"))))
    story.now_ms += 500
    away(story, 400)
    story.hear_out()
    return away(story, 700_000)


def talking() -> Story:
    """Words over ours: an "mm-hm", a cut, a key; rows of keys; an answer in pieces."""
    story = speaking(RULES)
    heard = (e.Played(prompt="p2", clauses=0, heard_samples=900),)
    story.happen(i.Utterance("Mm-hm.", 900, 300, played=heard))
    story.now_ms += 30
    story.happen(i.BargedIn((e.Played(prompt="p2", clauses=0, heard_samples=1_900),)))
    story.happen(i.Utterance("", 0, 100, is_partial=True))
    story.now_ms += 30
    story.happen(i.Utterance("No, wait.", 900, 900))
    story.happen(i.Answered(3, (a.Say("Yes?"),), is_last=False))
    story.happen(i.Answered(3, (a.Ask("Which ticket?", "ticket"), a.Enter("intake"))))
    story.now_ms += 30
    for digit in "12#34":
        story.happen(i.Key(digit))
        story.now_ms += 300
    story.now_ms += 5_000
    story.happen(i.Woke())
    story.happen(i.Answered(5, (a.Confirm("name"), a.Forget("name"), a.Say("Thank you."))))
    story.happen(i.Utterance("", 900, 100))
    story.happen(i.Progress((whole("p5", ("Thank you.",)),)))
    story.happen(i.Utterance("And one more thing.", 900, 900))
    for digit in "1" * 65:
        story.happen(i.Key(digit))
    return story


def working() -> Story:
    """Tools that answer, fail, are tried again, need a yes, are not there, and outlive a server."""
    story = speaking(RULES)
    story.hear_out()
    use = (a.UseTool("lookup", {"id": 1}), a.UseTool("note"), a.UseTool("gone"), a.SendDigits("1"))
    story.happen(i.Utterance("Look it up.", 900, 900))
    story.happen(i.Answered(3, use))
    story.now_ms += 100
    busy = {"detail": "busy", "may_retry": True}
    story.happen(i.OperationDone("t3.1", 1, "failed", **busy))  # type: ignore[arg-type] # words of two kinds
    story.now_ms += 300
    story.happen(i.Woke())
    story.happen(
        i.OperationDone("t3.1", 2, "failed", "", "busy", may_retry=True, retry_after_ms=900)
    )
    story.happen(i.OperationDone("t3.2", 1, "unanswered", detail="the connection went"))
    story.happen(i.DigitsDone("turn3", "sent"))
    away(story, 900, is_held_here=False)
    story.now_ms += 9_000
    story.happen(i.Woke())
    story.happen(i.Answered(4, (a.UseTool("refund"), a.UseTool("refund"), a.UseTool("lookup"))))
    story.write(e.OperationApproved(operation="t4.2"), is_outside=True)
    story.settle()
    story.happen(i.OperationDone("t4.3", 1, "succeeded", "{}"))
    story.happen(i.OperationDone("t4.2", 1, "failed", "", "no"))
    story.now_ms += 60_000
    story.happen(i.Woke())
    return story


def asked_for() -> Story:
    """What people ask for; a move; and the words of the carrier."""
    story = greeted(RULES)
    story.write(e.SayRequested(request="r1", text="One moment."), is_outside=True)
    story.write(e.DigitsRequested(request="r2", digits="1"), is_outside=True)
    story.settle()
    story.now_ms += 61_000
    story.happen(i.Woke())
    story.happen(i.DigitsDone("r2", "failed", "busy"))
    story.hear_out()
    story.happen(i.Move())
    away(story, 100)
    story.now_ms += 60
    story.drop()
    story.happen(i.CarrierSays(is_over=False, outcome="redirected"))
    story.attach("MZ5", gap_ms=100)
    story.write(e.TransferRequested(request="r3", to_number="+1"), is_outside=True)
    story.settle()
    story.happen(i.OperationDone("summary", 1, "succeeded", "{}"))
    story.happen(i.EndingDone(is_gone=False, detail="busy"))
    return story


def silent() -> Story:
    """Nobody answers, five times over, and the farewell is said to its end."""
    story = greeted(RULES)
    for _ in range(5):
        story.now_ms += 60_000
        story.happen(i.Woke())
        if story.call.turn:
            story.happen(i.Answered(story.call.turn.number, (a.Ask("Are you there?", "name"),)))
            story.hear_out()
    story.happen(i.BargedIn())
    story.hear_out()
    story.happen(i.EndingDone(is_gone=True))
    return story


def dropping() -> Story:
    """One drop too many; and another's client name."""
    story = Story(RULES)
    numbers = {"from_number": "+15005550001", "to_number": "+15005550002"}
    opened = e.CallOpened(call_sid="CA1", parameters={"company": "Acme"}, **numbers)  # type: ignore[arg-type] # of str
    story.write(opened, is_outside=True)
    story.attach("MZ0", door="voice", parameters={"company": "Eve"})
    story.happen(i.EarlierFound(CARRIED))
    story.happen(i.Answered(1, (a.StartAfresh(), a.Say("Hello."))))
    for _ in range(3):
        away(story, 500)
    story.happen(i.CarrierSays(is_over=True, outcome="gone_at_carrier"))
    return story


def lost() -> Story:
    """A known call without its journal; an earlier one that is gone on with; a farewell of ours."""
    story = Story(RULES)
    story.opened()
    story.attach("MZ1", lost="gone")
    story.happen(i.Answered(1, (a.Say("Hello again, I am listening now."),)))
    story.happen(i.Utterance("Ada of Acme.", 900, 900))
    story.now_ms += 20
    story.happen(i.Answered(2, (a.Say("Hello Ada, let me have a look."),)))
    story.happen(i.EarlierFound(CARRIED))
    story.happen(i.Answered(story.call.turns, (a.GoOn(), a.Say("Then let us go on."))))
    story.happen(i.Answered(story.call.turns, (a.Say("Goodbye."), a.Transfer("+1"))))
    story.hear_out()
    story.happen(i.OperationDone("summary", 1, "unanswered"))
    story.happen(i.EndingDone(is_gone=False))
    return story


def replaced() -> Story:
    """A second stream while the first lives; and a hang-up that a person asks for."""
    story = speaking(RULES)
    story.attach("MZ2", door="voice", gap_ms=20)
    story.now_ms += 20
    story.attach("MZ3", gap_ms=20, is_live_here=True)
    story.write(e.HangupRequested(request="r9"), is_outside=True)
    story.settle()
    story.happen(i.EndingDone(is_gone=True, detail="hung_up"))
    return story


def modelled() -> Story:
    """A model that speaks for itself."""
    story = Story(RULES)
    story.opened()
    story.attach("MZ1", door="voice")
    story.happen(i.ModelSpoke("m1", "Hello,"))
    story.happen(i.ModelContinued("m1", "Hello, who is there?", is_last=True))
    story.happen(i.TokenGiven(b"t"))
    story.now_ms += 20
    story.happen(i.Transcribed("It is Ada.", 900))
    story.happen(i.ModelCalled("c1", "lookup", {"id": 1}))
    story.happen(i.ModelCalled("c2", "gone", {}))
    story.happen(i.ModelActed((a.Fill("name", "Ada"), a.Say(" "), a.SendDigits("12"))))
    story.happen(i.OperationDone("c1", 1, "succeeded", "{}"))
    story.happen(i.ModelSpoke("m2", "Here it is."))
    story.happen(i.Transcribed("Fine.", 900, before="m2"))
    story.now_ms += 20
    story.happen(i.ModelLost("m2"))
    story.happen(i.ModelAway("One moment, please."))
    story.now_ms += 20
    story.happen(i.Utterance("", is_partial=True))
    story.happen(i.ModelActed((a.Transfer("+1"),), is_answer=True))
    return story


def taken_over() -> Story:
    """A person in the agent's place: over a sentence, handed back, and gone for a minute."""
    story = speaking(RULES)
    half = e.Played(prompt="p2", clauses=0, heard_samples=900)
    story.write(e.TakeoverRequested(request="t1", by="Ana", seat="a"), is_outside=True)
    story.tell(i.Settle((half,)))
    story.settle()
    story.now_ms += 30
    story.happen(i.Utterance("Who is there?", 900, 900))
    story.write(e.SayRequested(request="r1", text="Ana.", seat="a"), is_outside=True)
    story.settle()
    story.hear_out()
    handed_back(story)
    story.now_ms += 900
    taken(story)
    story.now_ms += 30
    away(story, 9_000)
    story.happen(i.Utterance("Hello?", 900, 900))
    story.now_ms += 60_000
    story.happen(i.Woke())
    return story


def undialable() -> Story:
    """A caller who can be put through to nobody: they are told so, twice, and the second time it ends."""
    story = greeted(RULES)
    story.happen(i.Utterance("A person, please.", 900, 900))
    story.happen(i.Answered(story.call.turns, (a.Say("Of course."), a.Transfer())))
    story.hear_out()
    story.happen(i.OperationDone("summary", 1, "succeeded", "{}"))
    story.happen(i.EndingImpossible("a page"))
    story.hear_out()
    story.now_ms += 30
    story.happen(i.Utterance("Mm.", 900, 900))
    story.happen(i.Answered(story.call.turns, (a.Transfer(is_last_resort=True),)))
    story.happen(i.EndingImpossible("a page"))
    story.hear_out()
    story.happen(i.EndingDone(is_gone=False, detail="hung_up"))
    return story


SCENES: tuple[Callable[[], Story], ...] = (
    returning, talking, working, asked_for, silent, dropping, lost, replaced, modelled,
    taken_over, undialable,
)  # fmt: skip
