import typing

from service.call import acts as a, events as e
from service.call.acts import Act
from service.call.answer import answered, spoken
from service.call.inputs import Answered, Decision
from service.call.state import Call, Turn

OPEN = Call(turn=Turn(3, "speech", "hi"), is_greeted=True, prompts_made=4)


def facts(*acts: Act, call: Call = OPEN) -> tuple[e.Known, ...]:
    return answered(call, Answered(3, acts), 0).facts


def test_a_prompt_is_named_by_its_number_and_cut_into_clauses() -> None:
    assert spoken(OPEN, "Hi there. How are you?", asks="name") == e.AgentSpoke(
        prompt="p5", clauses=("Hi there. How are you?",), asks="name"
    )
    assert spoken(OPEN, "Hi.", who="human", request="r", further=2) == e.AgentSpoke(
        prompt="p7", clauses=("Hi.",), who="human", request="r"
    )


def test_every_act_becomes_a_fact_and_the_turn_is_answered_in_the_same_write() -> None:
    acts: dict[Act, e.Known] = {
        a.Say("Hi."): e.AgentSpoke(prompt="p5", clauses=("Hi.",)),
        a.Ask("Who?", "name"): e.AgentSpoke(prompt="p6", clauses=("Who?",), asks="name"),
        a.Fill("name", "Ma", "keys"): e.FieldFilled(name="name", value="Ma", source="keys"),
        a.Confirm("name"): e.FieldConfirmed(name="name"),
        a.Forget("name"): e.FieldCleared(name="name"),
        a.Enter("intake"): e.StageChanged(stage="intake"),
        a.SendDigits("12"): e.DigitsRequested(request="turn3", digits="12"),
        a.Transfer("+1"): e.EndingPlanned(ending="transfer", to_number="+1"),
        a.HangUp(): e.EndingPlanned(ending="hangup"),
    }
    assert {type(act) for act in acts} == set(typing.get_args(Act))
    assert facts(*acts) == (*acts.values(), e.TurnAnswered(turn=3))


def test_digits_sent_twice_in_a_turn_are_two_requests() -> None:
    first, second, third, _ = facts(a.SendDigits("1"), a.SendDigits("2"), a.SendDigits("3"))
    assert [getattr(fact, "request", "") for fact in (first, second, third)] == [
        "turn3",
        "turn3-2",
        "turn3-3",
    ]


def test_nothing_to_say_makes_no_prompt() -> None:
    assert facts(a.Say(" \n"), a.Ask("", "name")) == (e.TurnAnswered(turn=3),)


def test_the_first_words_of_a_call_are_its_greeting_and_no_others() -> None:
    ungreeted = Call(turn=Turn(3, "opening"))
    kinds = [type(fact) for fact in facts(a.Say("Hi."), a.Say("Yo."), call=ungreeted)]
    assert kinds == [e.Greeted, e.AgentSpoke, e.AgentSpoke, e.TurnAnswered]
    assert facts(a.Say("Hi."), call=ungreeted)[0] == e.Greeted(prompt="p1")
    assert e.Greeted not in map(type, facts(a.Enter("x"), call=ungreeted))


def test_an_answer_to_a_turn_that_is_not_open_is_dropped() -> None:
    assert answered(OPEN, Answered(2, (a.Say("Hi."),)), 0) == Decision()
    assert answered(Call(), Answered(3, (a.Say("Hi."),)), 0) == Decision()
