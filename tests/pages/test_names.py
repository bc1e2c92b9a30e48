import pytest

from service.call.state import FROM_PAGE
from service.journal.limits import is_name
from service.pages.names import is_from_page, new_call_sid
from service.trust.token import BROWSER
from twiml.webhook import SID_PATTERN


def test_a_new_name_is_known_as_a_pages_and_can_be_a_journals() -> None:
    name = new_call_sid()
    assert is_from_page(name)
    assert is_name(name)
    assert SID_PATTERN.fullmatch(name)
    assert name != new_call_sid()


@pytest.mark.parametrize(
    "name",
    [
        "CA" + "0" * 32,
        "WB" + "0" * 31,
        "WB" + "0" * 33,
        "WB" + "G" * 32,
        "WB" + "0" * 32 + "\n",
        "3f1b2c6e-8f0a-4d57-9c39-1f0a7d0e2b11",
        "",
    ],
)
def test_no_other_name_is_a_pages(name: str) -> None:
    assert not is_from_page(name)


def test_the_door_of_a_page_and_the_direction_of_its_calls_are_one_word() -> None:
    assert FROM_PAGE == BROWSER
