import pytest

from service.agent.intake import phone
from service.speech.spoken import speakable

NUMBERS = {
    "415-555-0192": "4155550192",
    "(415) 555-0192, thanks": "4155550192",
    "four one five, five five five, oh one nine two": "4155550192",
    "Four one five. Five five five. Zero one nine two.": "4155550192",
    "Oh two oh seven nine four six oh one two three": "02079460123",
    "plus four four two oh seven nine four six oh one two three": "+442079460123",
    "It's +44 20 7946 0123.": "+442079460123",
    "my number is 555 0192 extension 12": "5550192",
    "double five double five one two three four": "55551234",
    "triple five one two one two": "5551212",
    "0 7 7 double 0, 9 double 0, 1 2 3": "07700900123",
    "I have 2 numbers, 415 555 0192": "4155550192",
    "Oh, it's four one five five five five oh one nine two": "4155550192",
    "zero zero four four 20 7946 0123": "00442079460123",
    "12 34": "",
    "no": "",
    "": "",
    "1" * 30: "",
    "\ud800": "",
}
GROUPS = {
    "4155550192": "415 555 0192",
    "+442079460123": "+442 079 460 123",
    "5550192": "555 0192",
    "55512345": "555 123 45",
    "": "",
    "12": "12",
}


@pytest.mark.parametrize(("text", "number"), NUMBERS.items())
def test_a_number_is_read_however_it_is_said(text: str, number: str) -> None:
    assert phone.phone(text) == number


@pytest.mark.parametrize(("number", "groups"), GROUPS.items())
def test_a_number_is_read_back_in_groups(number: str, groups: str) -> None:
    assert phone.grouped(number) == groups


def test_the_voice_spells_what_is_read_back() -> None:
    assert speakable(f"We call {phone.grouped('+442079460123')}.") == (
        "We call plus four four two, zero seven nine, four six zero, one two three."
    )
    assert speakable(f"We call {phone.grouped('5550192')}. Goodbye.") == (
        "We call five five five, zero one nine two. Goodbye."
    )


@pytest.mark.parametrize(
    "text",
    ["This number.", "this one, please", "The same number.", "the number I\u2019m calling from",
     "you can reach me on this", "This", "my own phone"],
)  # fmt: skip
def test_the_callers_own_number_is_understood(text: str) -> None:
    assert phone.is_this(text)


@pytest.mark.parametrize("text", ["415 555 0192", "another number", "this is Maria", ""])
def test_another_number_is_not_the_callers_own(text: str) -> None:
    assert not phone.is_this(text)


@pytest.mark.parametrize(
    ("number", "is_good"),
    [("+14155550192", True), ("5550192", True), ("anonymous", False), ("sip:a@b", False),
     ("+", False), ("", False), ("123", False), ("١٢٣٤٥٦٧٨", False)],
)  # fmt: skip
def test_only_a_number_can_be_called(number: str, *, is_good: bool) -> None:
    assert phone.is_phone(number) is is_good
