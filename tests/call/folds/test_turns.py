from service.call import events as e
from service.call.draft import Draft, begun
from service.call.folds import turns
from service.call.state import Call, Operation, Reason, Turn
from tests.call.story import Story, greeted, speaking

DONE = Operation("t1.1", "lookup", {}, 1, is_idempotent=True, attempts_max=1, deadline_ms=9)
LEFT_OPEN: tuple[tuple[Reason, bool], ...] = (("speech", False), ("opening", True))


def requested(turn: int) -> e.OperationRequested:
    return e.OperationRequested(
        operation=f"t{turn}.1",
        tool="lookup",
        arguments={},
        turn=turn,
        is_idempotent=True,
        attempts_max=1,
        deadline_ms=9,
    )


def with_tool() -> Story:
    """A call whose agent has a tool at work, asked for in turn 2."""
    story = speaking()
    story.write(requested(turn=2))
    return story


def ended() -> e.OperationEnded:
    return e.OperationEnded(operation="t2.1", status="succeeded", result="{}")


def opened(reason: Reason, text: str = "") -> Draft:
    call = begun(Call())
    turns.begin(call, reason, 1, text=text)
    return call


def test_a_turn_is_numbered_and_knows_where_it_was_opened() -> None:
    call = begun(Call(turns=4))
    turns.begin(call, "silence", 7)
    assert call.turn == Turn(5, "silence", position=7)
    assert call.turns == 5


def test_what_was_generated_for_the_open_turn_is_its_checkpoint() -> None:
    call = opened("speech")
    turns.say(call, 1, "One.")
    turns.say(call, 1, "Two.")
    turns.say(call, 9, "Another turn's.")
    assert call.turn is not None
    assert call.turn.said == ("One.", "Two.")
    nothing = begun(Call())
    turns.say(nothing, 1, "Nobody's.")
    assert nothing.standing() == Call()


def test_a_number_that_was_given_apart_from_the_store_is_not_given_again() -> None:
    """Seed 5002988 of the simulation: what others wrote meanwhile had closed a turn that the answer was counted by."""
    story = speaking()
    story.write(e.AgentSpoke(prompt="p8", clauses=("It has failed.",), turn=4))
    story.write(e.CallerSpoke(text="And now?"))
    assert story.call.turn is not None
    assert story.call.turn.number == 5


def test_a_tool_that_was_asked_for_apart_from_the_store_keeps_its_name_to_itself() -> None:
    """Another one of that name would have its key, and be taken for done."""
    story = speaking()
    story.write(requested(turn=4))
    story.write(e.CallerSpoke(text="And now?"))
    assert story.call.turn is not None
    assert story.call.turn.number == 5


def test_words_after_an_answer_began_are_a_turn_of_their_own() -> None:
    story = greeted()
    story.write(e.CallerSpoke(text="My printer."))
    story.write(e.AgentSpoke(prompt="p2", clauses=("I see.",), turn=2))
    call = story.write(e.CallerSpoke(text="It smokes."))
    assert call.turn is not None
    assert (call.turn.number, call.turn.text, call.turn.said) == (3, "It smokes.", ())


def test_words_that_come_before_news_was_told_take_the_news_with_them() -> None:
    story = with_tool()
    call = story.write(ended())
    assert call.turn == Turn(3, "operation", operations=("t2.1",), position=story.call.position)
    call = story.write(e.CallerSpoke(text="Well?"))
    assert call.turn is not None
    assert (call.turn.reason, call.turn.text, call.turn.operations) == (
        "speech",
        "Well?",
        ("t2.1",),
    )
    assert story.write(e.TurnAnswered(turn=4)).operations[0].told_turn == 4
    assert story.call.turn is None


def test_a_tool_that_ends_while_the_agent_is_at_work_is_the_next_turn() -> None:
    story = with_tool()
    story.write(e.CallerSpoke(text="Are you there?"))
    call = story.write(ended())
    assert call.turn is not None
    assert call.turn.reason == "speech"
    call = story.write(e.TurnAnswered(turn=3))
    assert call.turn is not None
    assert (call.turn.reason, call.turn.operations) == ("operation", ("t2.1",))


def test_nobody_is_told_of_tools_after_the_farewell() -> None:
    story = with_tool()
    story.write(e.EndingPlanned(ending="hangup"))
    assert story.write(ended()).turn is None
    over = with_tool()
    over.write(e.CallEnded(reason="completed"))
    assert over.write(ended()).turn is None
    assert over.call.operations[0].status == "succeeded"


def test_an_answer_that_is_cut_before_it_began_told_nothing() -> None:
    story = with_tool()
    story.write(ended(), e.AgentSpoke(prompt="p3", clauses=("Found it.",), turn=3))
    story.write(e.TurnAnswered(turn=3))
    assert story.call.operations[0].told_turn == 3
    call = story.write(e.SpeechCut(prompt="p3", reason="barge_in"), e.CallerSpoke(text="Hello?"))
    assert call.turn is not None
    assert call.turn.operations == ("t2.1",)


def test_an_answer_of_which_something_was_heard_has_told() -> None:
    story = with_tool()
    story.write(ended(), e.AgentSpoke(prompt="p3", clauses=("Found it.",), turn=3))
    story.write(e.TurnAnswered(turn=3), e.Played(prompt="p3", clauses=0, heard_samples=9))
    call = story.write(e.SpeechCut(prompt="p3", reason="barge_in"))
    assert call.operations[0].told_turn == 3


def test_news_that_was_heard_is_told_though_the_rest_of_the_answer_was_not() -> None:
    story = with_tool()
    story.write(ended(), e.AgentSpoke(prompt="p3", clauses=("Found it.",), turn=3))
    story.write(e.AgentSpoke(prompt="p4", clauses=("What else?",), turn=3), e.TurnAnswered(turn=3))
    story.write(e.Played(prompt="p3", clauses=1, heard_samples=9))
    call = story.write(e.SpeechCut(prompt="p4", reason="barge_in"))
    assert call.operations[0].told_turn == 3


def test_a_turn_whose_words_are_cut_is_given_up_and_another_is_not() -> None:
    story = greeted()
    story.write(e.CallerSpoke(text="So?"), e.AgentSpoke(prompt="p2", clauses=("Well.",), turn=2))
    assert story.write(e.SpeechCut(prompt="p2", reason="key")).turn is None
    other = opened("speech")
    turns.discard(other, 9, is_unheard=True)
    assert other == opened("speech")


def test_a_line_of_no_turn_that_is_cut_makes_no_news() -> None:
    call = begun(Call(operations=(DONE,)))
    turns.discard(call, 0, is_unheard=True)
    assert call.standing() == Call(operations=(DONE,))


def test_texts_are_joined_without_empty_ones() -> None:
    found = [turns.joined(*texts) for texts in (("a", "b"), ("a", ""), ("", "b"), ("", ""))]
    assert found == ["a b", "a", "b", ""]


def test_an_utterance_that_nobody_began_to_answer_goes_on_in_the_next_turn() -> None:
    call = opened("speech", "It is")
    call.half_text = "um"
    turns.hear(call, "broken.", 2)
    assert call.turn == Turn(2, "speech", "It is broken.", "um", position=2)
    keyed = opened("keys", "12")
    turns.hear(keyed, "Yes.", 2)
    assert keyed.turn == Turn(2, "speech", "Yes.", position=2)
    greeting = opened("opening")
    turns.hear(greeting, "Hello?", 2)
    assert greeting.turn == Turn(2, "opening", "Hello?", position=2)


def test_keys_are_a_turn_of_their_own_but_for_a_greeting_owed() -> None:
    keys = opened("speech", "It is")
    turns.key(keys, "12", 2)
    assert keys.turn == Turn(2, "keys", "12", position=2)
    greeting = opened("opening")
    turns.key(greeting, "12", 2)
    assert greeting.turn == Turn(2, "opening", "12", position=2)


def test_an_answer_to_another_turn_closes_nothing() -> None:
    call = opened("speech")
    turns.close(call, 9, 2)
    assert call == opened("speech")


def test_a_turn_that_a_person_answered_is_closed_and_its_news_stays_untold() -> None:
    call = begun(with_tool().write(ended()))
    turns.leave_to_person(call)
    assert call.turn is None
    assert call.operations[-1].told_turn == 0
    for reason, is_greeted in LEFT_OPEN:
        owed = opened(reason)
        turns.leave_to_person(owed)
        assert owed.is_greeted == is_greeted
