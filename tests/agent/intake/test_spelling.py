import pytest

from service.agent.intake.spelling import clarified, letter, spelled, times


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("T K T one two", "TKT12"),
        ("tee kay tee 12", "TKT12"),
        ("TKT-12", "TKT12"),
        ("it's tkt 12", " TKT12"),
        ("It's T K T", " TKT"),
        ("the letter A", "   "),
        ("A B", "AB"),
        ("okay, I see", "   "),
        ("I T", "IT"),
        ("K for you", "K  "),
        ("T for Tom, K as in king", "TK"),
        ("T, like Tom", "T"),
        ("one to three", "123"),
        ("to three", " 3"),
        ("three for", "34"),
        ("three for you", "3  "),
        ("T K to 3", "TK23"),
        ("one oh five", "105"),
        ("oh five", " 5"),
        ("O five", " 5"),
        ("five O five", "505"),
        ("O", " "),
        ("twenty", "20"),
        ("twenty one", "21"),
        ("twenty zero", "200"),
        ("twenty nought", "200"),
        ("twenty twenty four", "2024"),
        ("twenty ten", "2010"),
        ("double three", "33"),
        ("triple T", "TTT"),
        ("double u", "W"),
        ("double you T", "WT"),
        ("double trouble", " "),
        ("number 1 dash 2", "12"),
        ("PIN 12", " 12"),
        ("PRINTER 12", " 12"),
        ("été ß 7", "  7"),
        ("", ""),
        ("?!", ""),
    ],
)
def test_words_are_read_as_signs_where_they_can_be_nothing_else(text: str, signs: str) -> None:
    assert spelled(text) == signs


@pytest.mark.parametrize("text", ["\ud800", "١٢", "²", "'" * 99, "double " * 99, "K\u2019s 1"])
def test_no_text_is_an_error(text: str) -> None:
    assert isinstance(spelled(text), str)


@pytest.mark.parametrize(
    ("word", "sign"),
    [
        ("l", "L"),
        ("L", "L"),
        ("Lima", "L"),
        ("tee", "T"),
        ("é", "É"),
        ("okay", ""),
        ("1", ""),
        ("Maria", ""),
    ],
)
def test_a_word_that_surely_stands_for_a_letter_is_one(word: str, sign: str) -> None:
    assert letter(word) == sign


def test_a_letter_that_is_explained_is_the_letter() -> None:
    assert clarified("S as in Sam, M like Mike") == "S, M"
    assert (times("Double"), times("triple"), times("single")) == (2, 3, 0)
