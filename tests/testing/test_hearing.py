import pytest

from service.testing.hearing import Listener, after, bare


def test_case_and_punctuation_do_not_count() -> None:
    assert bare("Don\u2019t, O'Neil: TKT-1234!") == ("don't", "o'neil", "tkt", "1234")


def test_words_are_heard_in_their_order_each_once() -> None:
    listener = Listener()
    heard = "Hello Maria. You said: yes. You said: no."
    assert listener.hears("hello maria", heard)
    assert not listener.hears("hello", heard)
    assert listener.hears("you said", heard)
    assert listener.hears("you said no", heard)
    assert listener.rest(heard) == ""


def test_a_part_of_a_word_is_not_that_word() -> None:
    assert not Listener().hears("print", "the printer")


def test_what_was_heard_meanwhile_is_told() -> None:
    listener = Listener()
    assert listener.hears("hello", "Hello you")
    assert listener.rest("Hello you there!") == "you there"


@pytest.mark.parametrize("wanted", ["", " ", "?!"])
def test_a_wish_without_words_is_refused(wanted: str) -> None:
    with pytest.raises(ValueError, match="no words"):
        Listener().hears(wanted, "Hello")


def test_what_comes_after_a_beginning_starts_with_a_whole_word() -> None:
    assert after("My TKT-1234 is, broken", "my TKT-1234") == "is, broken"
    assert after("My TKT-1234 is", "my tkt") == "is"
    assert after("one two", "one two") == ""
    with pytest.raises(ValueError, match="does not begin with"):
        after("one two", "two")
