import pytest

from service.session.spoken_digits import DIGITS_MAX, digits


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Four one one one.", "4111"),
        ("4111 1111-1111 1111", "4111111111111111"),
        ("double four, triple oh, seven", "440007"),
        ("forty-one eleven", "4111"),
        ("twenty twenty five", "2025"),
        ("sixty", "60"),
        ("sixty oh one", "6001"),
        ("it is nought nine", "09"),
        ("no idea", ""),
        ("", ""),
    ],
)
def test_digits_are_found_however_they_are_said(text: str, found: str) -> None:
    assert digits(text) == found


def test_endless_digits_are_cut() -> None:
    assert len(digits("nine " * 1_000)) == DIGITS_MAX
