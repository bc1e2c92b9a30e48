import pytest

from service.call import events as e, inputs as i
from tests.call.story import greeted, speaking


def test_a_second_row_of_digits_waits_for_the_first_to_be_through() -> None:
    story = greeted()
    for request in ("r1", "r2"):
        story.write(e.DigitsRequested(request=request, digits="1"), is_outside=True)
    story.write(e.SayRequested(request="r3", text="One moment."), is_outside=True)
    story.settle()
    assert story.effects == [i.PlayDigits("r1", "1")]
    assert story.call.prompts
    story.happen(i.DigitsDone("r1", "sent"))
    assert len(story.effects) == 1
    story.drop("stop")
    story.attach("MZ2")
    assert story.effects[1:] == [i.PlayDigits("r2", "1")]


def test_a_line_of_a_person_is_said_once() -> None:
    story = greeted()
    story.write(e.SayRequested(request="r1", text="Hold the line."), is_outside=True)
    story.settle()
    spoken = [fact for fact, _ in story.journal if isinstance(fact, e.AgentSpoke)]
    assert (spoken[-1].who, spoken[-1].request, len(spoken)) == ("human", "r1", 2)
    assert story.call.transcript[-1].who == "human"


@pytest.mark.parametrize(
    ("fact", "effect", "reason"),
    [
        (e.HangupRequested(request="r1"), i.EndCall(), "hung_up"),
        (e.TransferRequested(request="r1", to_number="+1"), i.TransferCall("+1"), "transferred"),
    ],
)
def test_a_person_ends_the_call_at_once(fact: e.Known, effect: i.Effect, reason: str) -> None:
    story = speaking()
    story.happen(i.Utterance("But"))
    story.write(fact, is_outside=True)
    story.settle()
    assert story.effects == [effect]
    assert story.call.transcript[-2].cut
    story.happen(i.EndingDone(is_gone=False))
    assert (story.call.phase, story.call.end_reason) == ("ended", reason)
