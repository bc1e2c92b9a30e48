import typing

import msgspec
import pytest

from service.call import acts as a
from service.call.acts import Act

ACTS: tuple[Act, ...] = (
    a.Say("Hi."),
    a.Ask("Who?", "name"),
    a.Fill("name", "Ma"),
    a.Confirm("name"),
    a.Forget("name"),
    a.Enter("intake"),
    a.UseTool("ticket_lookup", {"ticket_id": "TKT-1234"}),
    a.SendDigits("1w2"),
    a.Transfer("+1"),
    a.Transfer(is_last_resort=True),
    a.HangUp(),
    a.GoOn(),
    a.StartAfresh(),
    a.Collect("Your card number?", "card", 13, 19, is_card=True),
)


def test_every_act_is_in_the_closed_list() -> None:
    assert {type(act) for act in ACTS} == set(typing.get_args(Act))


@pytest.mark.parametrize("act", ACTS, ids=lambda act: type(act).__name__)
def test_an_act_is_a_value_that_nobody_changes(act: Act) -> None:
    assert act == msgspec.structs.replace(act)
    with pytest.raises(AttributeError):
        setattr(act, next((field.name for field in msgspec.structs.fields(act)), "x"), "")


def test_what_is_filled_was_heard_unless_it_is_said_otherwise() -> None:
    assert a.Fill("name", "Ma").source == "speech"
    assert a.Fill("name", "Ma", "keys", 900).source == "keys"
