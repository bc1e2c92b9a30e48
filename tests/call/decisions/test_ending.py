import pytest

from service.call import acts as a, events as e, inputs as i
from service.call.decisions.decide import deadline_ms
from service.call.decisions.ending import (
    LAST_RESORT_LINE,
    SILENCES_MAX,
    SILENT_LINE,
    SUMMARY,
    UNDIALABLE_LINE,
)
from service.call.policy import Policy, ToolTerms
from service.call.state import FROM_PAGE
from tests.call.story import START_MS, Story, greeted, kinds, taken, whole


def test_an_agent_ends_the_call_after_its_farewell_was_heard() -> None:
    story = greeted()
    story.happen(i.Utterance("Bye."))
    story.happen(i.Answered(2, (a.SendDigits("1"), a.Say("Goodbye."), a.HangUp())))
    assert story.effects == [i.PlayDigits("turn2", "1")]
    story.happen(i.Utterance("Thank you."))
    story.happen(i.DigitsDone("turn2", "sent"))
    story.drop("stop")
    story.attach("MZ2")
    assert story.effects[1:] == []
    story.happen(i.Progress((whole("p2", ("Goodbye.",)),)))
    assert story.effects[1:] == [i.EndCall()]
    story.settle()
    assert story.effects[1:] == [i.EndCall()]


def test_an_ending_that_a_crash_interrupted_is_done_on_return() -> None:
    story = greeted()
    story.write(e.HangupRequested(request="r1"), is_outside=True)
    story.settle()
    story.attach("MZ2")
    assert story.effects == [i.EndCall(), i.EndCall()]


@pytest.mark.parametrize(
    ("done", "reason"),
    [
        (i.EndingDone(is_gone=True, detail="code 20404"), "code 20404"),
        (i.EndingDone(is_gone=True), "hung_up"),
        (i.EndingDone(is_gone=False, detail="stream_closed"), "transferred"),
    ],
)
def test_how_a_transfer_ended_is_told(done: i.EndingDone, reason: str) -> None:
    story = greeted()
    story.write(e.EndingPlanned(ending="transfer", to_number="+1"))
    story.happen(done)
    assert story.call.end_reason == reason


def silent_for_once(story: Story) -> None:
    """Nobody says anything until we notice."""
    due_ms = deadline_ms(story.call)
    assert due_ms is not None
    story.now_ms = due_ms
    story.happen(i.Woke())


def test_a_question_that_nobody_answers_is_the_agents_turn_again_and_in_the_end_we_hang_up() -> (
    None
):
    story = greeted()
    assert deadline_ms(story.call) == START_MS + 8_000
    for number in range(SILENCES_MAX):
        silent_for_once(story)
        turn = story.call.turn
        assert turn is not None
        assert (turn.reason, story.call.silences) == ("silence", number + 1)
        story.happen(i.Answered(turn.number, (a.Ask("Are you there?", "name"),)))
        story.hear_out()
    silent_for_once(story)
    assert story.call.transcript[-1].text == SILENT_LINE
    story.hear_out()
    assert story.effects == [i.EndCall()]


def test_whoever_takes_the_caller_over_is_told_first_and_once() -> None:
    terms = ToolTerms(is_idempotent=True, attempts_max=2, timeout_ms=500)
    story = greeted(Policy(tools={"tell": terms}, summary_tool="tell"))
    story.write(e.TransferRequested(request="r1", to_number="+1"), is_outside=True)
    story.settle()
    operate, transfer = story.effects
    assert isinstance(operate, i.Operate)
    assert (operate.operation, operate.tool) == (SUMMARY, "tell")
    assert set(operate.arguments) == {"ticket_id", "caller", "text"}
    assert transfer == i.TransferCall("+1")
    story.happen(i.OperationDone(SUMMARY, 1, "succeeded"))
    assert story.call.turn is None
    assert len(story.effects) == 2


def from_page(policy: Policy | None = None) -> Story:
    story = Story(policy or Policy(drops_max=2))
    story.write(e.CallOpened(call_sid="CA1", direction=FROM_PAGE), is_outside=True)
    story.attach("MZ1", door="voice")
    story.happen(i.Answered(1, (a.Ask("Hello, who is there?", "name"),)))
    story.hear_out()
    return story


REFUSED = i.EndingImpossible("a call from a page can't be put through")


def last_words(story: Story) -> str:
    return story.call.transcript[-1].text


def test_who_can_not_be_put_through_is_told_so_and_the_call_goes_on() -> None:
    terms = ToolTerms(is_idempotent=True, attempts_max=2, timeout_ms=500)
    story = from_page(Policy(tools={"tell": terms}, summary_tool="tell"))
    story.happen(i.Utterance("A person, please."))
    story.happen(i.Answered(2, (a.Say("Of course."), a.Transfer())))
    story.hear_out()
    assert story.effects == [i.TransferCall("")], "nobody is told of a caller who never comes"
    assert kinds(story.happen(REFUSED)) == ["EndingRefused", "AgentSpoke"]
    assert (story.call.phase, story.call.ending, last_words(story)) == ("live", "", UNDIALABLE_LINE)
    story.hear_out()
    story.happen(i.Utterance("All right, then you."))
    assert story.call.turn is not None
    assert deadline_ms(story.call) is None, "it is the agent's turn"
    story.happen(i.Answered(3, (a.Ask("What is it about?", "problem"),)))
    assert story.effects == [i.TransferCall("")]


@pytest.mark.parametrize("is_drop_limited", [False, True])
def test_where_there_is_no_other_way_the_call_ends_with_a_farewell(
    *, is_drop_limited: bool
) -> None:
    story = from_page()
    if is_drop_limited:
        story.write(e.DropLimitReached(drops=3))
    else:
        story.happen(i.Utterance("Mm."))
        story.happen(i.Answered(2, (a.Transfer(is_last_resort=True),)))
    assert kinds(story.happen(REFUSED)) == ["EndingRefused", "AgentSpoke", "EndingPlanned"]
    assert last_words(story) == LAST_RESORT_LINE
    assert story.happen(REFUSED).facts == (), "it is said once"
    story.hear_out()
    assert story.effects[-1] == i.EndCall()
    story.happen(i.EndingDone(is_gone=False, detail="hung_up"))
    assert story.call.end_reason == "hung_up"


def test_while_a_person_has_the_agents_place_it_is_theirs_to_tell() -> None:
    story = from_page()
    taken(story)
    story.write(e.TransferRequested(request="r1", to_number="+1"), is_outside=True)
    story.settle()
    assert kinds(story.happen(REFUSED)) == ["EndingRefused"]
    assert (story.call.ending, story.call.phase) == ("", "live")


def test_a_refusal_of_an_ending_that_is_none_means_nothing() -> None:
    assert from_page().happen(REFUSED).facts == ()
