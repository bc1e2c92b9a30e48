import json

import pytest

from service.agent.functions import BUILT_IN, Functions, is_last
from service.call.acts import (
    Act,
    Collect,
    Confirm,
    Enter,
    Fill,
    GoOn,
    HangUp,
    SendDigits,
    StartAfresh,
    Transfer,
    UseTool,
)
from service.call.earlier import Earlier
from service.call.state import FROM_PAGE, Call
from service.tools.terms import ARGUMENTS_BYTES_MAX, Description, ToolArguments

NEW = Call()
LOOKUP = Description(
    "ticket_lookup",
    "Looks a ticket up.",
    {
        "type": "object",
        "properties": {"ticket_id": {"type": "string", "pattern": "^TKT-[0-9]+$"}},
        "required": ["ticket_id"],
        "additionalProperties": False,
    },
)


def acts(
    name: str, *, is_keyed: bool = False, call: Call = NEW, **arguments: object
) -> tuple[Act, ...]:
    return Functions((LOOKUP,)).acts(name, json.dumps(arguments), call, is_keyed=is_keyed)


def test_calls_of_the_built_in_functions_become_acts() -> None:
    assert acts("remember", field="name", value=" Maria ") == (Fill("name", "Maria", "speech"),)
    assert acts("remember", is_keyed=True, field="pin", value="12", is_confirmed=False) == (
        Fill("pin", "12", "keys"),
    )
    assert acts("remember", field="name", value="Maria", is_confirmed=True) == (
        Fill("name", "Maria"),
        Confirm("name"),
    )
    assert acts("enter_stage", stage="confirming") == (Enter("confirming"),)
    assert acts("send_digits", digits="1w2#\n") == (SendDigits("1w2#"),)
    assert acts("transfer") == (Transfer(),)
    assert acts("hang_up") == (HangUp(),)


def test_a_call_of_a_tool_is_its_use() -> None:
    assert acts("ticket_lookup", ticket_id="TKT-1") == (
        UseTool("ticket_lookup", {"ticket_id": "TKT-1"}),
    )


def test_no_arguments_are_an_empty_object() -> None:
    assert Functions().acts("hang_up", "", NEW, is_keyed=False) == (HangUp(),)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("order_pizza", "{}"),
        ("", "{}"),
        ("hang_up", "{"),
        ("hang_up", "[]"),
        ("hang_up", "null"),
        ("hang_up", '{"now": true}'),
        ("transfer", '{"to": "+1900"}'),
        ("remember", '{"field": "name"}'),
        ("remember", '{"field": "name", "value": 5}'),
        ("remember", '{"field": "name", "value": " "}'),
        ("remember", '{"field": "Na me", "value": "x"}'),
        ("remember", '{"field": "name", "value": "\\ud800"}'),
        ("remember", '{"field": "name", "value": "\ud800"}'),
        ("enter_stage", '{"stage": ""}'),
        ("send_digits", '{"digits": "call me"}'),
        ("send_digits", '{"digits": ""}'),
        ("ticket_lookup", '{"ticket_id": "1234"}'),
        ("ticket_lookup", "[" * 100_000),
        ("ticket_lookup", "{" + " " * ARGUMENTS_BYTES_MAX + "}"),
    ],
)
def test_a_call_that_makes_no_sense_is_one_sentence_for_the_model(
    name: str, arguments: str
) -> None:
    with pytest.raises(ToolArguments) as wrong:
        Functions((LOOKUP,)).acts(name, arguments, NEW, is_keyed=False)
    assert "\n" not in str(wrong.value)


def test_a_tool_may_refuse_what_fits_its_schema() -> None:
    def check(name: str, arguments: dict[str, object]) -> None:
        assert (name, arguments) == ("ticket_lookup", {"ticket_id": "TKT-1"})
        raise ToolArguments("Not this one.")

    functions = Functions((LOOKUP,), check)
    with pytest.raises(ToolArguments, match="Not this one"):
        functions.acts("ticket_lookup", '{"ticket_id": "TKT-1"}', NEW, is_keyed=False)


def test_in_a_call_from_a_page_nobody_can_be_dialled_and_no_transfer_is_offered() -> None:
    page = Call(direction=FROM_PAGE)
    names = {one["function"]["name"] for one in Functions(()).offered(page)}
    assert names == {one.name for one in BUILT_IN} - {"transfer"}
    with pytest.raises(ToolArguments, match="no function"):
        Functions(()).acts("transfer", "{}", page, is_keyed=False)
    own = Description("transfer", "Transfers elsewhere.", LOOKUP.parameters)
    assert len(Functions((own,)).offered(page)) == len(BUILT_IN)


def test_all_functions_are_offered_and_a_tool_takes_the_place_of_a_built_in() -> None:
    own = Description("transfer", "Transfers elsewhere.", LOOKUP.parameters)
    functions = Functions((own,))
    names = [one["function"]["name"] for one in functions.offered(NEW)]
    assert sorted(names) == sorted(one.name for one in BUILT_IN)
    told = functions.acts("transfer", '{"ticket_id": "TKT-1"}', NEW, is_keyed=False)
    assert told == (UseTool("transfer", {"ticket_id": "TKT-1"}),)


def test_a_turn_ends_with_a_tool_and_with_an_ending() -> None:
    lasting: tuple[Act, ...] = (UseTool("x"), SendDigits("1"), Transfer(), HangUp(), GoOn())
    lasting = (*lasting, Collect("Your PIN?", "pin"))
    passing: tuple[Act, ...] = (Fill("a", "b"), Confirm("a"), Enter("x"), StartAfresh())
    assert all(map(is_last, lasting))
    assert not any(map(is_last, passing))


def test_going_on_is_offered_only_while_there_is_something_to_go_on_with() -> None:
    waiting = Call(earlier=Earlier("CA0", "number", 1))
    assert acts("go_on", call=waiting, is_wanted=True) == (GoOn(),)
    assert acts("go_on", call=waiting, is_wanted=False) == (StartAfresh(),)
    names = [one["function"]["name"] for one in Functions().offered(waiting)]
    assert "go_on" in names
    for call in (NEW, Call(earlier=Earlier("CA0", "number", 1, standing="taken"))):
        assert "go_on" not in str(Functions().offered(call))
        with pytest.raises(ToolArguments, match="no function"):
            acts("go_on", call=call, is_wanted=True)


def test_a_tool_of_that_name_is_the_installations_own() -> None:
    own = Functions((Description("go_on", "Goes on elsewhere.", LOOKUP.parameters),))
    assert "go_on" in str(own.offered(NEW))
    told = own.acts("go_on", '{"ticket_id": "TKT-1"}', NEW, is_keyed=False)
    assert told == (UseTool("go_on", {"ticket_id": "TKT-1"}),)


def test_a_number_under_seal_is_offered_only_where_there_is_somewhere_to_pass_it_to() -> None:
    assert "collect_number" not in str(Functions().offered(NEW))
    with pytest.raises(ToolArguments, match="no function"):
        acts("collect_number", text="Your PIN?", field="pin", keys_min=4, keys_max=4)
    functions = Functions(collects="numbers")
    assert "collect_number" in str(functions.offered(NEW))
    asked = {"text": " Your card? ", "field": "card", "keys_min": 13, "keys_max": 19}
    told = functions.acts(
        "collect_number", json.dumps({**asked, "is_card": True}), NEW, is_keyed=False
    )
    assert told == (Collect("Your card?", "card", 13, 19, is_card=True),)
    for wrong in ({"keys_min": 20}, {"keys_max": 99}, {"text": " "}, {"field": "4111 1111"}):
        with pytest.raises(ToolArguments):
            functions.acts("collect_number", json.dumps({**asked, **wrong}), NEW, is_keyed=False)


def test_where_only_the_carrier_collects_only_a_card_is_offered() -> None:
    functions = Functions(collects="cards")
    asked = {"text": "Let us take your card.", "field": "card"}
    (act,) = functions.acts("collect_number", json.dumps(asked), NEW, is_keyed=False)
    assert act == Collect("Let us take your card.", "card", 13, 19, is_card=True)
    with pytest.raises(ToolArguments):
        functions.acts("collect_number", json.dumps({**asked, "keys_min": 4}), NEW, is_keyed=False)
