import pytest

from service.call import acts as a, events as e, inputs as i
from service.call.decisions import seats
from service.call.decisions.decide import deadline_ms
from service.call.seat import UNSEEN_MS_MAX
from service.call.state import Call
from tests.call.story import Story, greeted, handed_back, kinds, speaking, taken


def say(story: Story, text: str, seat: str = "a") -> None:
    story.write(e.SayRequested(request=f"s:{text}", text=text, seat=seat), is_outside=True)
    story.settle()


def reasons(story: Story) -> list[str]:
    return [fact.reason for fact in story.facts(e.HandedBack)]


def test_the_agents_sentence_is_cut_to_what_was_heard() -> None:
    story = speaking()
    story.write(e.TakeoverRequested(request="t", by="Ana", seat="a"), is_outside=True)
    half = e.Played(
        prompt="p2", clauses=0, part_samples=900, part_of_samples=1_800, heard_samples=900
    )
    decision = story.tell(i.Settle((half,)))
    assert kinds(decision) == ["Played", "SpeechCut", "TakenOver"]
    assert story.call.prompts == ()
    assert story.call.transcript[-1].cut
    assert 0 < len(story.call.transcript[-1].heard) < len(story.call.transcript[-1].text)
    assert not story.tell(i.Settle()).facts


def test_a_colleagues_line_is_said_to_its_end() -> None:
    story = greeted()
    say(story, "One moment, please.")
    taken(story)
    assert [prompt.clauses for prompt in story.call.prompts] == [("One moment, please.",)]


@pytest.mark.parametrize(
    "happened",
    [
        i.Answered(2, (a.Say("Me again."), a.HangUp())),
        i.ModelSpoke("m1", "Me again."),
        i.ModelCalled("t9", "lookup", {}),
        i.ModelActed((a.Transfer(),), is_answer=True),
        i.ModelAway("One moment."),
    ],
)
def test_the_agent_says_and_does_nothing_meanwhile(happened: i.Input) -> None:
    story = greeted()
    taken(story)
    story.happen(i.Utterance("Hello?"))
    assert story.call.turn is not None
    assert story.call.turn.number == 2
    assert not story.tell(happened).facts


def test_the_callers_words_are_kept_and_wait_for_an_answer() -> None:
    story = greeted()
    taken(story)
    story.happen(i.Utterance("It is broken."))
    story.happen(i.Utterance("Since Monday."))
    assert story.call.turn is not None
    assert story.call.turn.text == "It is broken. Since Monday."
    handed_back(story)
    assert story.call.turn is not None
    assert [line.text for line in story.call.transcript[-2:]] == ["It is broken.", "Since Monday."]


def test_a_persons_line_is_an_answer() -> None:
    story = greeted()
    taken(story)
    story.happen(i.Utterance("It is broken."))
    say(story, "I will send somebody.")
    assert story.call.turn is None
    assert story.call.transcript[-1].who == "human"
    story.hear_out()
    handed_back(story)
    assert story.call.turn is None
    story.now_ms += 700_000
    assert not story.tell(i.Woke()).facts
    assert story.happen(i.Utterance("Thanks.")).facts
    assert story.call.turn is not None


def test_a_person_who_was_first_has_greeted() -> None:
    story = Story()
    story.opened()
    taken(story)
    story.attach("MZ1", door="voice")
    assert story.call.turn is not None
    assert story.call.turn.reason == "opening"
    say(story, "Acme, this is Ana.")
    answered = story.call
    assert answered.turn is None
    assert answered.is_greeted


def test_nobody_is_asked_again_and_no_silence_ends_the_call() -> None:
    story = greeted()
    taken(story)
    assert deadline_ms(story.call) == story.now_ms + UNSEEN_MS_MAX
    story.now_ms += UNSEEN_MS_MAX - 1
    assert not story.tell(i.Woke()).facts


def test_only_the_seat_says_lines_and_sends_digits() -> None:
    story = greeted()
    taken(story)
    say(story, "I am Bob.", seat="b")
    story.write(e.DigitsRequested(request="d", digits="1"), is_outside=True)
    story.settle()
    assert story.call.transcript[-1].who == "agent"
    assert not story.effects
    story.write(e.DigitsRequested(request="d2", digits="1", seat="a"), is_outside=True)
    story.settle()
    assert story.effects == [i.PlayDigits("d2", "1")]


def test_the_place_is_taken_from_whom_one_sees_there_and_the_agent_stays_silent() -> None:
    story = greeted()
    taken(story)
    say(story, "Ana here.")
    taken(story, "b", "Bob")
    assert [fact.by for fact in story.facts(e.TakenOver)] == ["Ana"]
    taken(story, "b", "Bob", from_seat="a")
    assert [fact.by for fact in story.facts(e.TakenOver)] == ["Ana", "Bob"]
    assert story.call.prompts
    handed_back(story, "a")
    assert story.call.taken_over is not None
    handed_back(story, "b")
    assert reasons(story) == ["asked"]
    free = story.call
    assert free.taken_over is None


@pytest.mark.parametrize("is_live", [True, False])
def test_who_shows_no_sign_of_life_hands_back(*, is_live: bool) -> None:
    story = greeted()
    taken(story)
    story.happen(i.Utterance("Hello?"))
    story.now_ms += UNSEEN_MS_MAX - 5
    taken(story)
    story.now_ms += UNSEEN_MS_MAX - 5
    say(story, "Still here.")
    if not is_live:
        story.drop()
    story.happen(i.Woke())
    assert reasons(story) == []
    story.now_ms += UNSEEN_MS_MAX
    story.happen(i.Woke())
    assert reasons(story) == ["unseen"]


def test_a_drop_changes_nothing_about_who_speaks() -> None:
    story = greeted()
    taken(story)
    story.happen(i.Utterance("Hello?"))
    story.drop()
    story.now_ms += 9_000
    spoken = len(story.facts(e.AgentSpoke))
    story.attach("MZ2", gap_ms=9_000)
    assert len(story.facts(e.AgentSpoke)) == spoken
    assert story.call.taken_over is not None
    assert story.call.taken_over.is_taken


def test_a_call_that_nobody_took_over_has_no_deadline_of_this_kind() -> None:
    assert seats.deadline_ms(Call()) is None
    assert not seats.woke(Call(), 1).facts
    assert not seats.is_silenced(Call(), i.Answered(1, ()))
