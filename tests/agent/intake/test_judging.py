import pytest

from service.agent.intake.draft import Draft
from service.agent.intake.judging import Judging
from service.call.acts import Act, Ask, Confirm, Forget, Say
from service.call.state import Call, Field, Turn

CALL = Call(fields={"name": Field("Ma"), "company": Field("Acme")}, asked="read_back")


def judging(text: str) -> Judging:
    onward: list[Act] = [Say("onward")]
    repaired: list[Act] = [Say("repaired")]
    draft = Draft(CALL, Turn(1, "speech", text), frozenset())
    return Judging(draft, lambda: onward, lambda: repaired)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yes.", [Confirm("name"), Confirm("company"), Say("onward")]),
        ("Hm.", [Say("repaired")]),
    ],
)
def test_a_yes_confirms_everything_and_what_is_neither_is_asked_again(
    text: str, expected: list[Act]
) -> None:
    assert judging(text).read_back_heard() == expected


def test_a_no_asks_for_the_part_or_for_its_new_value() -> None:
    (which,) = judging("No.").read_back_heard()
    assert isinstance(which, Ask)
    assert which.field == "which_field"
    forgotten, asked = judging("The company.").which_heard()
    assert (forgotten, getattr(asked, "field", "")) == (Forget("company"), "company")
