import pytest

from service.call import acts as a, events as e, inputs as i
from service.call.decisions.decide import deadline_ms
from service.call.decisions.ending import SILENCES_MAX, SILENT_LINE, SUMMARY
from service.call.policy import Policy, ToolTerms
from tests.call.story import START_MS, Story, greeted, whole


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
