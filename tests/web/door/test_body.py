import pytest

from service.errors import Refused
from service.web.door.body import text_of


def test_a_text_is_returned_as_it_stands() -> None:
    assert text_of({"text": " Hello. "}, "text", 8) == " Hello. "


@pytest.mark.parametrize("value", [None, 1, "", "  ", "123456789", "\ud800"])
def test_what_is_no_text_is_refused_by_name(value: object) -> None:
    with pytest.raises(Refused, match="text "):
        text_of({"text": value}, "text", 8)
