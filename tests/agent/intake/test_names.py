import pytest

from service.agent.intake import answers, names

SPELLED_PERSONS = {
    "Lopez, L O P E Z": "Lopez",
    "Lopes. L-O-P-E-Z.": "Lopez",
    "lopes l o p e z": "Lopez",
    "Maria Lopes, that's L O P E Z.": "Maria Lopez",
    "M A R I A, L O P E Z": "Maria Lopez",
    "M-A-R-I-A L-O-P-E-Z": "Maria Lopez",
    "It's spelled L, O, P, E, Z.": "Lopez",
    "My name is Maria, last name L O P E Z": "Maria Lopez",
    "yes it's Maria, M A R I A, Lopez": "Maria Lopez",
    "Lima Oscar Papa Echo Zulu": "Lopez",
    "S as in Sam, M like Mike, I, T, H": "Smith",
    "Bill, B I double L": "Bill",
    "Al, A L": "Al",
    "O'Brien, O B R I E N": "O'Brien",
    "I am Ann, A-N-N": "Ann",
    "Sure. L-O-P-E-Z": "Lopez",
    "A / L O P E Z": "Lopez",
}
UNSPELLED_PERSONS = {
    "J. R. Smith": "J. R. Smith",
    "Maria Lopez.": "Maria Lopez",
    "It's Mike.": "Mike",
    "Charlie Oscar": "Charlie Oscar",
    "Could you say that?": "",
    "": "",
}
COMPANIES = {
    "I B M": ("IBM", True),
    "It's A C M E.": ("ACME", True),
    "Acne, A C M E": ("Acme", True),
    "A B C Bakery": ("ABC Bakery", True),
    "A.B.C. Bakery": ("ABC Bakery", True),
    "North wind, N O R T H W I N D": ("Northwind", True),
    "it's a B M W dealer": ("BMW dealer", True),
    "Acme": ("Acme", False),
    "A T and T": ("A T and T", False),
}


@pytest.mark.parametrize(("text", "name"), SPELLED_PERSONS.items())
def test_a_spelled_name_is_believed_letter_by_letter(text: str, name: str) -> None:
    assert names.person(text, answers.person) == (name, True)


@pytest.mark.parametrize(("text", "name"), UNSPELLED_PERSONS.items())
def test_a_name_that_is_not_spelled_is_read_as_a_name(text: str, name: str) -> None:
    assert names.person(text, answers.person) == (name, False)


@pytest.mark.parametrize(("text", "found"), COMPANIES.items())
def test_a_company_may_be_spelled_too(text: str, found: tuple[str, bool]) -> None:
    assert names.company(text, answers.company) == found


@pytest.mark.parametrize(
    ("said", "known", "found"),
    [
        ("Acne", ["Acme"], "Acme"),
        ("Padel", ["Patel", "Smith"], "Patel"),
        ("Sarah Jonson", ["Sarah Johnson"], "Sarah Johnson"),
        ("acme ltd", ["Acme"], "Acme"),
        ("Bob", ["Rob"], ""),
        ("Globex", ["Acme", ""], ""),
        ("Acme", [], ""),
        ("", ["Acme"], ""),
    ],
)
def test_the_likest_known_name_is_found(said: str, known: list[str], found: str) -> None:
    assert names.likest(said, known) == found


def test_names_that_sound_alike_in_all_are_the_same() -> None:
    assert names.is_same("ACME Inc.", "Acme")
    assert names.is_same("The Company", "the company")
    assert not names.is_same("Acne", "Acme")


@pytest.mark.parametrize(
    "text",
    ["\x00", "\ud800", "A " * 5_000, "double " * 500, "spelled " * 500 + "A B C", "- , ." * 99],
)
def test_no_words_at_all_break_a_reader(text: str) -> None:
    for read in (names.person, names.company):
        assert len(read(text, answers.person)[0]) <= answers.VALUE_LETTERS_MAX
