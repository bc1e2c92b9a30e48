from service.call import events as e
from service.call.decisions.summary import LETTERS_MAX, LINES_MAX, summary
from service.call.state import Call
from tests.call.story import greeted


def test_a_person_is_told_what_is_known_and_what_was_said_and_heard() -> None:
    story = greeted()
    story.write(
        e.FieldFilled(name="ticket_id", value="TKT-1", source="speech"),
        e.FieldFilled(name="name", value="Maria", source="speech"),
        e.FieldConfirmed(name="name"),
        e.CallerSpoke(text="It smokes."),
        e.AgentSpoke(prompt="p2", clauses=("Nobody heard this.",)),
    )
    assert summary(story.call) == {
        "ticket_id": "TKT-1",
        "caller": "",
        "text": (
            "ticket id: TKT-1 (not confirmed)\nname: Maria\n"
            "Agent: Hello, who is there?\nCaller: It smokes."
        ),
    }


def test_without_an_answer_the_ticket_is_the_directorys() -> None:
    call = Call(parameters={"ticket_id": "TKT-9"}, from_number="+1")
    assert (summary(call)["ticket_id"], summary(call)["caller"]) == ("TKT-9", "+1")


def test_a_long_talk_is_told_by_its_end() -> None:
    story = greeted()
    for number in range(50):
        story.write(e.CallerSpoke(text=f"{number} " + "x" * 999))
    text = summary(story.call)["text"]
    assert len(text) == LETTERS_MAX
    assert text.startswith(f"Caller: {50 - LINES_MAX} ")
