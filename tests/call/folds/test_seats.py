from service.call import events as e, inputs as i
from service.call.state import Call
from tests.call.story import START_MS, Story, greeted, handed_back, speaking, taken

ASKED = e.TakeoverRequested(request="t", by="Ana", seat="a")


def holder(call: Call) -> str:
    return call.taken_over.seat if call.taken_over else ""


def test_who_asked_stands_in_the_state_until_the_end_of_the_call() -> None:
    story = Story()
    call = story.write(ASKED, e.TakeoverRequested(request="t2", by="Bob", seat="b"))
    assert call.taken_over is not None
    assert (call.taken_over.by, call.taken_over.since_ms) == ("Ana", START_MS)
    assert not call.taken_over.is_taken
    assert holder(story.write(e.CallEnded(reason="completed"))) == ""
    assert holder(story.write(ASKED)) == ""


def test_nobody_takes_over_a_call_that_is_about_to_end() -> None:
    story = Story()
    story.write(e.EndingPlanned(ending="hangup"))
    assert holder(story.write(ASKED)) == ""


def test_only_who_has_the_place_hands_back() -> None:
    story = Story()
    back = e.HandbackRequested(request="h", by="Bob", seat="b")
    assert story.write(back).taken_over is None
    call = story.write(ASKED, back)
    assert call.taken_over is not None
    assert not call.taken_over.is_leaving
    call = story.write(e.HandbackRequested(request="h", by="Ana", seat="a"))
    assert call.taken_over is not None
    assert call.taken_over.is_leaving
    assert holder(story.write(e.HandedBack(by="Ana", reason="asked"))) == ""


def test_silence_for_somebody_else_says_nothing() -> None:
    story = Story()
    done = e.TakenOver(by="Bob", seat="b")
    assert story.write(done).taken_over is None
    call = story.write(ASKED, done)
    assert call.taken_over is not None
    assert not call.taken_over.is_taken


def test_words_whose_answer_nobody_heard_stand_unanswered_again() -> None:
    story = speaking()
    story.happen(i.Utterance("And a printer, too."))
    assert story.call.turn is not None
    story.happen(i.Answered(story.call.turn.number, ()))
    story.write(e.AgentSpoke(prompt="p9", clauses=("A printer.",), turn=3))
    taken(story)
    assert story.call.turn is not None
    assert (story.call.turn.reason, story.call.turn.text) == ("speech", "And a printer, too.")


def test_words_whose_answer_was_heard_in_part_do_not() -> None:
    story = speaking()
    story.happen(i.Progress((e.Played(prompt="p2", clauses=1, heard_samples=8_000),)))
    taken(story)
    assert story.call.turn is None


def test_a_call_handed_back_asks_nothing_again() -> None:
    story = greeted()
    story.write(e.ResumeTokenKept(token=b"x"))
    assert story.call.asked == "name"
    taken(story)
    handed_back(story)
    assert (story.call.asked, story.call.asks, story.call.resume_token) == ("", 0, b"")
    assert story.call.turn is None


def test_handed_back_before_the_agent_fell_silent_nothing_has_changed() -> None:
    story = greeted()
    story.write(ASKED, e.HandbackRequested(request="h", by="Ana", seat="a"), is_outside=True)
    story.settle()
    assert story.call.taken_over is None
    assert story.call.asked == "name"
    assert not story.facts(e.TakenOver)


def test_what_a_tool_brought_meanwhile_is_told_afterwards() -> None:
    story = greeted()
    story.write(
        e.OperationRequested(
            operation="t1.1",
            tool="lookup",
            arguments={},
            turn=1,
            is_idempotent=True,
            attempts_max=1,
            deadline_ms=START_MS + 9_000,
        ),
    )
    taken(story)
    story.write(e.OperationEnded(operation="t1.1", status="succeeded", result="1"))
    story.write(e.SayRequested(request="s", text="I am Ana.", seat="a"), is_outside=True)
    story.settle()
    assert story.call.turn is None
    handed_back(story)
    assert story.call.turn is not None
    assert story.call.turn.reason == "operation"
