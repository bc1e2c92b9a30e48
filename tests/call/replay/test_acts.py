"""What an agent or a model did, read from the facts that its acts became."""

import pytest

from service.call import acts as a, events as e, inputs as i
from service.call.decisions.answer import NO_SUCH_TOOL
from service.call.replay.acts import read_answer, read_model_call
from service.call.replay.reading import Reading, written_at_once
from service.call.state import Call

CLOSED = e.TurnAnswered(turn=2)


def said(text: str = "Fine.", asks: str = "", turn: int = 2) -> e.AgentSpoke:
    return e.AgentSpoke(prompt="p1", clauses=(text,), asks=asks, turn=turn)


def asked(operation: str = "t2.1", turn: int = 2) -> e.OperationRequested:
    return e.OperationRequested(
        operation=operation, tool="lookup", arguments={"id": 1}, turn=turn, is_idempotent=True,
        attempts_max=1, deadline_ms=5,
    )  # fmt: skip


def failed(detail: str = NO_SUCH_TOOL) -> e.OperationEnded:
    return e.OperationEnded(operation="t2.1", status="failed", detail=detail)


def read(*facts: e.Known, has_model: bool = False) -> list[Reading]:
    return list(read_answer(written_at_once(Call(), facts, 1_000, has_model=has_model)))


def acts(*facts: e.Known) -> tuple[a.Act, ...]:
    """The acts of a whole answer."""
    (one,) = read(*facts, CLOSED)
    assert isinstance(one.happened, i.Answered)
    assert (one.happened.turn, one.happened.is_last) == (2, True)
    assert one.count == len(facts) + 1
    return one.happened.acts


def test_every_act_is_read_from_its_fact() -> None:
    facts = (
        said(), said("Who?", "name"),
        e.FieldFilled(name="n", value="v", source="keys", confidence_milli=9),
        e.FieldConfirmed(name="n"), e.FieldCleared(name="n"), e.StageChanged(stage="s"),
        e.DigitsRequested(request="turn2", digits="1"), e.EarlierTaken(), e.EarlierDeclined(),
        e.EndingPlanned(ending="transfer", to_number="+1"), e.EndingPlanned(ending="hangup"),
        e.EndingPlanned(ending="transfer", is_last_resort=True),
    )  # fmt: skip
    assert acts(*facts) == (
        a.Say("Fine."), a.Ask("Who?", "name"), a.Fill("n", "v", "keys", 9), a.Confirm("n"),
        a.Forget("n"), a.Enter("s"), a.SendDigits("1"), a.GoOn(), a.StartAfresh(),
        a.Transfer("+1"), a.HangUp(), a.Transfer(is_last_resort=True),
    )  # fmt: skip
    assert acts(e.Greeted(prompt="p1"), said()) == (a.Say("Fine."),)
    assert acts() == ()


def test_the_failure_of_a_tool_that_is_not_there_is_our_own_conclusion() -> None:
    (one,) = read(asked(), failed(), CLOSED)
    assert one.happened == i.Answered(2, (a.UseTool("lookup", {"id": 1}),))
    assert one.told_by == {0, 2}


def test_an_answer_that_goes_on_has_left_words_alone() -> None:
    (one,) = read(e.Greeted(prompt="p1"), said(), e.CallerBegan())
    assert one.happened == i.Answered(2, (a.Say("Fine."),), is_last=False)
    assert one.told_by == {1}
    assert one.count == 2
    assert read(e.StageChanged(stage="s")) == []


@pytest.mark.parametrize(
    "other",
    [
        said(turn=0),
        e.AgentSpoke(prompt="p2", clauses=("Hi.",), who="human", request="r1"),
        e.AgentSpoke(prompt="m1", clauses=("Hi.",), turn=2, voice="model"),
        asked("summary", 0),
        failed("busy"),
    ],
)
def test_what_our_rules_or_others_did_beside_it_is_no_part_of_it(other: e.Known) -> None:
    (one,) = read(said(), other, CLOSED)
    assert one.happened == i.Answered(2, (a.Say("Fine."),), is_last=False)


def test_words_before_other_acts_of_an_unfinished_answer_are_all_there_is() -> None:
    (one,) = read(said(), e.StageChanged(stage="s"))
    assert one.happened == i.Answered(2, (a.Say("Fine."),), is_last=False)


def test_what_a_model_did_may_be_no_answer() -> None:
    (one,) = read(e.StageChanged(stage="s"), has_model=True)
    assert one.happened == i.ModelActed((a.Enter("s"),))
    likely, other = read(e.StageChanged(stage="s"), CLOSED, has_model=True)
    assert likely.happened == i.Answered(2, (a.Enter("s"),))
    assert other.happened == i.ModelActed((a.Enter("s"),), is_answer=True)


@pytest.mark.parametrize(
    ("request_name", "unwritten"),
    [("model7.2", 2), ("model7.0", 0), ("model7", 0), ("model7.9999", 0), ("model7.²", 0)],
)
def test_a_models_digits_are_named_by_their_place_among_its_acts(
    request_name: str, unwritten: int
) -> None:
    (one,) = read(e.DigitsRequested(request=request_name, digits="1"), CLOSED, has_model=True)
    expected: tuple[a.Act, ...] = (*[a.Say("")] * unwritten, a.SendDigits("1"))
    assert one.happened == i.ModelActed(expected, is_answer=True)


def test_a_models_call_of_a_tool_is_read_with_its_refusal() -> None:
    write = written_at_once(Call(), (CLOSED, asked("c1"), failed()), 5, has_model=True)
    one = read_model_call(write, 1)
    assert one is not None
    assert one.happened == i.ModelCalled("c1", "lookup", {"id": 1})
    assert one.told_by == {1}
    assert one.count == 3
    sound = written_at_once(Call(), (asked("c1"), failed("busy")), 5, has_model=True)
    alone = read_model_call(sound, 0)
    assert alone is not None
    assert alone.count == 1
    assert read_model_call(write, 2) is None
    assert read_model_call(written_at_once(Call(), (asked(),), 5), 0) is None
