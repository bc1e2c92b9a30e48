from service.agent.duplex import ToolCalled
from service.agent.functions import Functions
from service.call import inputs as i
from service.call.acts import Collect, Fill, HangUp
from service.call.decisions.operation import OPERATIONS_MAX
from service.call.state import Call, Operation
from service.session.duplex.briefing import Briefing
from service.session.duplex.calls import WRONG_MAX, ModelCalls
from service.session.speaking.model_voice import ModelVoice
from service.tools.terms import Description
from tests.session.recorder import NotingLink

LOOKUP = Description(
    "lookup",
    "Looks a ticket up.",
    {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
)


class Desk:
    """The calls of one model, and what became of them."""

    def __init__(self, call: Call | None = None) -> None:
        self.call = call or Call()
        self.link = NotingLink()
        self.posted: list[i.Input] = []
        briefing = Briefing(self.link, ModelVoice())
        functions = Functions((LOOKUP,), collects="numbers")
        self.calls = ModelCalls(
            functions, self.link, briefing, self.posted.append, lambda: self.call
        )

    def take(self, name: str, arguments: str = "{}", call_id: str = "c1") -> list[str]:
        self.calls.take(ToolCalled(call_id, name, arguments))
        return self.link.asked()


def operation(name: str) -> Operation:
    return Operation(name, "lookup", {}, 1, is_idempotent=True, attempts_max=1, deadline_ms=1)


def test_a_tool_becomes_an_operation_by_the_models_own_name() -> None:
    desk = Desk()
    assert desk.take("lookup", '{"id": "TK1"}') == []
    assert desk.posted == [i.ModelCalled("c1", "lookup", {"id": "TK1"})]


def test_what_only_notes_something_is_done_at_once_and_the_model_speaks_on() -> None:
    desk = Desk()
    asked = desk.take("remember", '{"field": "name", "value": "Ada"}')
    assert asked == ['result c1 {"status": "done"}', "respond"]
    assert desk.posted == [i.ModelActed((Fill("name", "Ada"),))]


def test_after_a_farewell_nothing_is_left_to_say() -> None:
    desk = Desk()
    assert desk.take("hang_up") == ['result c1 {"status": "done"}']
    assert desk.posted == [i.ModelActed((HangUp(),), is_answer=True)]


def test_a_call_that_makes_no_sense_is_answered_with_why_but_not_for_ever() -> None:
    desk = Desk()
    for name, arguments in (("lookup", "{}"), ("teleport", "{}"), ("lookup", "[")):
        result, again = desk.take(name, arguments)
        assert "error" in result
        assert again == "respond"
    assert len(desk.take("teleport")) == 1
    assert WRONG_MAX == 3
    assert desk.posted == []


def test_an_id_that_is_known_or_missing_is_no_id() -> None:
    desk = Desk(Call(operations=(operation("c1"),)))
    assert "ID of its own" in desk.take("lookup", '{"id": "TK1"}')[0]
    assert "ID of its own" in desk.take("lookup", '{"id": "TK1"}', "")[0]


def test_a_model_that_goes_round_in_circles_is_told_so() -> None:
    many = tuple(operation(f"x{number}") for number in range(OPERATIONS_MAX))
    assert "Too many" in Desk(Call(operations=many)).take("lookup", '{"id": "TK1"}')[0]


def test_a_number_under_seal_is_asked_for_and_the_model_says_no_more() -> None:
    desk = Desk()
    arguments = '{"text": "Your PIN?", "field": "pin", "keys_min": 4, "keys_max": 4}'
    assert desk.take("collect_number", arguments) == ['result c1 {"status": "done"}']
    assert desk.posted == [i.ModelActed((Collect("Your PIN?", "pin", 4, 4),), is_answer=True)]
