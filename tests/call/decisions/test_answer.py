import typing

import msgspec

from service.call import acts as a, events as e
from service.call.acts import Act
from service.call.decisions.answer import NO_SINK, answered, spoken
from service.call.decisions.operation import OPERATIONS_MAX, requested
from service.call.earlier import Earlier
from service.call.inputs import Answered, Decision
from service.call.policy import Policy, ToolTerms
from service.call.privacy import Collection, Privacy
from service.call.state import Call, Operation, Turn

OPEN = Call(turn=Turn(3, "speech", "hi"), is_greeted=True, prompts_made=4)
TERMS = ToolTerms(is_idempotent=True, attempts_max=3, timeout_ms=500)
POLICY = Policy(tools={"lookup": TERMS})


def facts(*acts: Act, call: Call = OPEN) -> tuple[e.Known, ...]:
    return answered(call, Answered(3, acts), 0, POLICY).facts


def test_a_prompt_is_named_by_its_number_and_cut_into_clauses() -> None:
    assert spoken(OPEN, "Hi there. How are you?", asks="name") == e.AgentSpoke(
        prompt="p5", clauses=("Hi there. How are you?",), asks="name"
    )
    assert spoken(OPEN, "Hi.", who="human", request="r", further=2) == e.AgentSpoke(
        prompt="p7", clauses=("Hi.",), who="human", request="r"
    )


def test_every_act_becomes_a_fact_and_the_turn_is_answered_in_the_same_write() -> None:
    made: tuple[tuple[Act, e.Known], ...] = (
        (a.Say("Hi."), e.AgentSpoke(prompt="p5", clauses=("Hi.",), turn=3)),
        (a.Ask("Who?", "x"), e.AgentSpoke(prompt="p6", clauses=("Who?",), asks="x", turn=3)),
        (
            a.Fill("name", "Ma", "keys", 900),
            e.FieldFilled(name="name", value="Ma", source="keys", confidence_milli=900),
        ),
        (a.Confirm("name"), e.FieldConfirmed(name="name")),
        (a.Forget("name"), e.FieldCleared(name="name")),
        (a.Enter("intake"), e.StageChanged(stage="intake")),
        (a.UseTool("lookup", {"id": 1}), requested("t3.1", "lookup", {"id": 1}, 3, TERMS, 0)),
        (a.SendDigits("12"), e.DigitsRequested(request="turn3", digits="12")),
        (a.Transfer("+1"), e.EndingPlanned(ending="transfer", to_number="+1")),
        (
            a.Transfer(is_last_resort=True),
            e.EndingPlanned(ending="transfer", is_last_resort=True),
        ),
        (a.HangUp(), e.EndingPlanned(ending="hangup")),
    )
    others = {a.GoOn, a.StartAfresh, a.Collect}  # see below, and test_collecting.py
    assert {type(act) for act, _ in made} == set(typing.get_args(Act)) - others
    assert facts(*(act for act, _ in made)) == (
        *(fact for _, fact in made),
        e.TurnAnswered(turn=3),
    )


def test_an_earlier_call_is_gone_on_with_or_left_in_the_same_write() -> None:
    offered = msgspec.structs.replace(OPEN, earlier=Earlier("CA0", "number", 0))
    for act, fact in (
        (a.GoOn(), e.EarlierTaken(is_stale=False)),
        (a.StartAfresh(), e.EarlierDeclined()),
    ):
        assert facts(act, call=offered) == (fact, e.TurnAnswered(turn=3))


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
    assert answered(OPEN, Answered(2, (a.Say("Hi."),)), 0, POLICY) == Decision()
    assert answered(Call(), Answered(3, (a.Say("Hi."),)), 0, POLICY) == Decision()


def test_words_of_an_answer_that_goes_on_leave_its_turn_open() -> None:
    begun = answered(OPEN, Answered(3, (a.Say("Hi."), a.HangUp()), is_last=False), 0, POLICY)
    assert begun.facts == (e.AgentSpoke(prompt="p5", clauses=("Hi.",), turn=3),)


def test_tools_are_numbered_within_their_turn_and_an_unknown_one_has_failed_at_once() -> None:
    first, second, ended, _ = facts(a.UseTool("lookup"), a.UseTool("gone"))
    assert [getattr(fact, "operation", "") for fact in (first, second)] == ["t3.1", "t3.2"]
    assert ended == e.OperationEnded(
        operation="t3.2", status="failed", detail="there is no such tool"
    )


def test_an_agent_that_goes_round_in_circles_is_not_fed() -> None:
    one = Operation("t1.1", "lookup", {}, 1, True, 1, 0)  # noqa: FBT003 - as the journal has it
    many = msgspec.structs.replace(OPEN, operations=(one,) * OPERATIONS_MAX)
    assert facts(a.UseTool("lookup"), call=many) == (e.TurnAnswered(turn=3),)


def test_a_number_is_collected_where_there_is_a_sink_and_has_failed_elsewhere() -> None:
    act = a.Collect("Your code?", "code", 0, 999)
    began = e.CollectionBegan(collection="c1", field="code", keys_min=1, keys_max=64)
    failed = e.CollectionEnded(collection="c1", outcome="failed", detail=NO_SINK)
    assert facts(act) == (began, failed, e.TurnAnswered(turn=3))
    made = answered(OPEN, Answered(3, (act,)), 0, Policy(has_sink=True)).facts
    prompt = e.AgentSpoke(prompt="p5", clauses=("Your code?",), asks="code", turn=3)
    assert made == (began, prompt, e.TurnAnswered(turn=3))


def test_one_number_is_collected_at_a_time() -> None:
    """S-12: the digits of a second one would be taken for the first one's."""
    first, second = a.Collect("Your card?", "card"), a.Collect("Your PIN?", "pin")
    policy = Policy(has_sink=True)
    began, prompt, closing = answered(OPEN, Answered(3, (first, second)), 0, policy).facts
    assert isinstance(began, e.CollectionBegan)
    assert began.field == "card"
    assert isinstance(prompt, e.AgentSpoke)
    one = Collection("c1", "card", 1, 9, is_card=False)
    open_ = msgspec.structs.replace(OPEN, privacy=Privacy(collection=one, collections=1))
    assert answered(open_, Answered(3, (second,)), 0, policy).facts == (closing,)


def test_a_card_goes_to_the_carrier_where_that_takes_cards() -> None:
    act = a.Collect("Your card.", "card", 13, 19, is_card=True)
    for direction, sinks in (("inbound", ["pay"]), ("browser", ["http"])):
        call = Call(turn=Turn(1, "opening"), direction=direction)
        facts = answered(call, Answered(1, (act,)), 0, Policy(pays=True)).facts
        assert [one.sink for one in facts if isinstance(one, e.CollectionBegan)] == sinks
