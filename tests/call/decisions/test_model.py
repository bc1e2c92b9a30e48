from typing import Any

from service.call import acts as a, events as e, inputs as i
from service.call.decisions.model import STEPS
from service.call.decisions.operation import OPERATIONS_MAX
from service.call.events import Known
from service.call.policy import Policy, ToolTerms
from tests.call.story import Story

TERMS = ToolTerms(is_idempotent=True, attempts_max=2, timeout_ms=1_000)


class Spoken(Story):
    """A call with a model on it."""

    def __init__(self) -> None:
        super().__init__(Policy(tools={"lookup": TERMS}))
        self.opened()
        self.attach(door="voice")

    def model(self, happened: i.Input) -> tuple[Known, ...]:
        decision = STEPS[type(happened)](self.call, happened, self.now_ms, self.policy)
        self.write(*decision.facts)
        return decision.facts

    def heard(self, prompt: str, samples: int, *, clauses: int = 0, of: int = 8_000) -> None:
        part = 0 if clauses else samples
        self.write(
            e.Played(
                prompt=prompt,
                clauses=clauses,
                part_samples=part,
                part_of_samples=of,
                heard_samples=samples,
            )
        )


def test_the_first_sound_greets_and_answers_the_open_turn() -> None:
    story = Spoken()
    facts = story.model(i.ModelSpoke("m1-1", "Hello"))
    assert [type(fact).__name__ for fact in facts] == ["Greeted", "AgentSpoke", "TurnAnswered"]
    assert story.call.turn is None
    assert story.call.prompts[0].voice == "model"
    assert story.call.prompts[0].is_open
    again = story.model(i.ModelSpoke("m1-2", "And"))
    assert [type(fact).__name__ for fact in again] == ["AgentSpoke"]


def test_its_words_become_known_while_it_is_heard() -> None:
    story = Spoken()
    story.model(i.ModelSpoke("m1-1", ""))
    assert story.model(i.ModelContinued("m1-1", "Hello there", is_last=False))
    assert not story.model(i.ModelContinued("m1-1", "Hello there", is_last=False))
    assert story.model(i.ModelContinued("m1-1", "Hello there", is_last=True))
    assert not story.model(i.ModelContinued("m1-1", "Hello there, Ada", is_last=True))
    assert not story.model(i.ModelContinued("m9-9", "Who?", is_last=True))
    story.heard("m1-1", 4_000)
    assert story.call.transcript[0].heard == "Hello"
    story.heard("m1-1", 8_000, clauses=1)
    assert story.call.transcript[0].heard == "Hello there"
    assert story.call.prompts == ()


def test_a_prompt_that_went_with_its_process_is_cut_and_the_model_is_to_go_on() -> None:
    story = Spoken()
    story.model(i.ModelSpoke("m1-1", "One two three four"))
    story.heard("m1-1", 4_000)
    story.model(i.ModelLost("m1-1"))
    assert story.call.transcript[0].heard == "One two"
    assert story.call.transcript[0].cut
    assert story.call.turn is not None
    assert story.call.turn.reason == "cut"
    assert not story.model(i.ModelLost("m1-1"))


def test_a_call_of_a_tool_is_an_operation_by_the_models_own_name_once() -> None:
    story = Spoken()
    called = i.ModelCalled("call_7", "lookup", {"ticket_id": "TK1"})
    facts = story.model(called)
    assert [type(fact).__name__ for fact in facts] == ["TurnAnswered", "OperationRequested"]
    assert story.call.operations[0].operation == "call_7"
    assert story.call.operations[0].attempts_max == 2
    assert not story.model(called)
    story.settle()
    done = i.OperationDone("call_7", 1, "succeeded", '{"status": "open"}')
    story.happen(done)
    assert story.call.turn is not None
    assert story.call.turn.operations == ("call_7",)


def test_a_tool_that_is_not_there_has_failed_at_once() -> None:
    story = Spoken()
    story.model(i.ModelCalled("call_1", "teleport", {}))
    assert story.call.operations[0].status == "failed"


def test_a_model_that_goes_round_in_circles_is_not_fed() -> None:
    story = Spoken()
    for number in range(OPERATIONS_MAX):
        assert story.model(i.ModelCalled(f"call_{number}", "lookup", {}))
    assert not story.model(i.ModelCalled("one_more", "lookup", {}))


def test_what_else_it_does_becomes_facts_and_closes_the_turn_only_as_an_answer() -> None:
    story = Spoken()
    story.model(i.ModelActed((a.Fill("name", "Ada"), a.Enter("intake"))))
    assert story.call.fields["name"].value == "Ada"
    assert story.call.turn is not None
    story.model(i.ModelActed((a.HangUp(),), is_answer=True))
    assert story.call.ending == "hangup"
    assert story.call.turn is None


def test_digits_may_be_sent_twice_in_one_turn() -> None:
    story = Spoken()
    story.model(i.ModelActed((a.SendDigits("1"), a.SendDigits("2"))))
    story.model(i.ModelActed((a.SendDigits("3"),)))
    assert [one.value for one in story.call.requests] == ["1", "2", "3"]
    assert len({one.request for one in story.call.requests}) == 3


def test_a_line_of_ours_while_the_model_is_away_is_no_greeting() -> None:
    story = Spoken()
    story.model(i.ModelAway("One moment, please."))
    assert not story.call.is_greeted
    assert story.call.prompts[0].voice == "ours"
    assert story.call.turn is not None


def test_what_the_caller_said_cuts_nothing_and_stands_before_its_answer() -> None:
    story = Spoken()
    story.model(i.ModelSpoke("m1-1", "It is open."))
    story.write(e.CallerBegan())
    story.model(i.Transcribed("Is it open?", 900, before="m1-1"))
    assert [line.text for line in story.call.transcript] == ["Is it open?", "It is open."]
    assert story.call.prompts
    assert story.call.turn is None
    story.model(i.Transcribed("And the other?", 900))
    assert story.call.turn is not None
    assert story.call.turn.text == "And the other?"


def test_words_that_nobody_could_write_down_are_no_turn() -> None:
    story = Spoken()
    story.model(i.ModelSpoke("m1-1", "Hello."))
    story.write(e.CallerBegan())
    story.model(i.Transcribed("", 2_000))
    assert story.call.turn is None
    assert not story.call.is_caller_speaking


def test_a_handle_to_come_back_with_is_kept_when_it_is_new() -> None:
    story = Spoken()
    told: list[Any] = [story.model(i.TokenGiven(token)) for token in (b"a", b"a", b"b", b"")]
    assert [len(facts) for facts in told] == [1, 0, 1, 1]
    assert story.call.resume_token == b""
