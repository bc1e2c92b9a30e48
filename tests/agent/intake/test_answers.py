import pytest

from service.agent.intake import answers

YES = (
    "Yes.",
    "Yeah.",
    "Yep, that's right.",
    "That's correct.",
    "That is right, thank you.",
    "Right.",
    "Sure.",
    "Exactly.",
    "No, that's right.",
    "No, that's correct.",
    "No, no, it's fine.",
    "No, that\u2019s all right",
    "Nothing wrong, go ahead.",
    "No problem, yes.",
    "Okay.",
    "Sounds good.",
    "I think so.",
    "You got it.",
    "Absolutely",
)
NO = (
    "No.",
    "Nope.",
    "Nah, try again.",
    "No, that's wrong.",
    "That's not right.",
    "That is not correct.",
    "Not quite.",
    "That isn't right.",
    "Incorrect.",
    "No, it isn\u2019t.",
    "Actually no.",
    "Yes, but the ticket is wrong.",
    "Right company, wrong name.",
    "Yes. No, wait.",
    "There's a mistake in it.",
    "Not really.",
)
NEITHER = ("", "What?", "Can you repeat that?", "I don't know.", "I'm not sure.", "Nobody knew it.")

PERSONS = {
    "Maria Lopez.": "Maria Lopez",
    "My name is Maria Lopez.": "Maria Lopez",
    "my name's maria lopez": "Maria Lopez",
    "It's Maria Lopez.": "Maria Lopez",
    "It\u2019s Maria.": "Maria",
    "This is Maria.": "Maria",
    "I'm Maria.": "Maria",
    "I am Maria Lopez": "Maria Lopez",
    "MARIA LOPEZ": "Maria Lopez",
    "I'm fine, this is Maria.": "Maria",
    "I'm good, thanks. It's Maria Lopez.": "Maria Lopez",
    "I'm calling about my invoice, my name is John Smith.": "John Smith",
    "Hi, my name is Maria Lopez and I'm calling about an invoice.": "Maria Lopez",
    "Hello, this is Maria from Acme.": "Maria",
    "Hi, it's Maria calling from Acme.": "Maria",
    "Yes, John Smith.": "John Smith",
    "Yeah, sure, it's John.": "John",
    "That's right, it's John.": "John",
    "Um, Maria.": "Maria",
    "Maria Lopez speaking.": "Maria Lopez",
    "Maria here": "Maria",
    "You can call me Al.": "Al",
    "Name is Peter, please.": "Peter",
    "Jean-Luc Picard.": "Jean-Luc Picard",
    "my name is sean o'brien": "Sean O'Brien",
    "Jos\u00e9 Garc\u00eda.": "Jos\u00e9 Garc\u00eda",
    "This is Dr. Smith.": "Dr. Smith",
    "J. R. Smith.": "J. R. Smith",
    "Maria. M A R I A.": "Maria",
    "The name's Peter Gabriel, thank you": "Peter Gabriel",
    "": "",
    "Yes.": "",
    "Hello?": "",
    "What?": "",
    "Sorry, can you repeat that?": "",
    "I don't want to say.": "",
    "I'm calling from Acme.": "",
    "That's wrong.": "",
    "1234": "",
    "The printer in the room upstairs smokes since this morning": "",
}
COMPANIES = {
    "Acme.": "Acme",
    "Acme Inc.": "Acme Inc",
    "I'm calling from Acme.": "Acme",
    "I'm from Acme Corp.": "Acme Corp",
    "It's Acme Limited.": "Acme Limited",
    "We're Northwind Traders.": "Northwind Traders",
    "I work for Contoso.": "Contoso",
    "I work at Fabrikam.": "Fabrikam",
    "My company is Blue Sky.": "Blue Sky",
    "The company is called Blue Sky.": "Blue Sky",
    "The company\u2019s called Blue Sky.": "Blue Sky",
    "I'm calling from a company called Umbrella.": "Umbrella",
    "I'm calling on behalf of Wayne Enterprises.": "Wayne Enterprises",
    "I represent Stark Industries.": "Stark Industries",
    "From Acme.": "Acme",
    "This is Maria from Acme.": "Acme",
    "I'm fine, I'm with Globex.": "Globex",
    "Smith and Sons.": "Smith and Sons",
    "AT&T": "AT&T",
    "Bank of America.": "Bank of America",
    "Yes, Acme.": "Acme",
    "Uh, Acme, please.": "Acme",
    "It's the Ministry of Sound.": "the Ministry of Sound",
    "Acme and my name is Maria.": "Acme",
    "": "",
    "Which company?": "",
    "My name is Maria.": "",
    "That's wrong.": "",
    "The company's name is Acme.": "Acme",
    "I'm calling some blue river bakery.": "",  # "from", in noise: better asked again than kept whole
    "I am calling about my printer.": "",
    "We're calling about my printer.": "",
    "We have a problem with the printer.": "",
}
TICKETS = {
    "TKT-1234": "TKT-1234",
    "TKT1234.": "TKT-1234",
    "tkt 1234": "TKT-1234",
    "Tkt-1234": "TKT-1234",
    "It's T K T 1234.": "TKT-1234",
    "It\u2019s T-K-T 1 2 3 4": "TKT-1234",
    "T K T 1 2 3 4": "TKT-1234",
    "tee kay tee one two three four": "TKT-1234",
    "Tea kay tee, 1-2-3-4.": "TKT-1234",
    "my ticket number is T.K.T. one, two, three, four": "TKT-1234",
    "TKT number 1234": "TKT-1234",
    "T K T dash one two three four": "TKT-1234",
    "T as in Tom, K as in king, T as in Tom, 1234": "TKT-1234",
    "T for Tango K for Kilo T for Tango 1234": "TKT-1234",
    "Tango Kilo Tango one two three four": "TKT-1234",
    "I'm looking for TKT-1234, please.": "TKT-1234",
    "It's similar to TKT 1234": "TKT-1234",
    "No, not TKT-1111, it's TKT-2222.": "TKT-2222",
    "ticket ID 1234": "1234",
    "Okay, see 1234": "1234",
    "Oh, it's 4711.": "4711",
    "1234": "1234",
    "1 2 3 4.": "1234",
    "1,234": "1234",
    "one two three four": "1234",
    "one, two, three, for": "1234",
    "one to three four": "1234",
    "1234 for the printer": "1234",
    "I would like to 4 5 6": "456",
    "twelve thirty four": "1234",
    "twelve thirty-four": "1234",
    "twenty oh five": "2005",
    "forty five sixty": "4560",
    "ninety": "",
    "one O five": "105",
    "one double three four": "1334",
    "I N C double oh one two": "INC-0012",
    "double u T F nine nine nine": "WTF-999",
    "C R M triple seven": "CRM-777",
    "see are em 1 2 3": "CRM-123",
    "CASE 98765": "CASE-98765",
    "SUP-77": "",
    "I don't have one": "",
    "A b c": "",
    "hmm 1234": "1234",
    "My ticket number is tkt1234.": "TKT-1234",
    "my ticket number is tkt one two three four": "TKT-1234",
    "ticket one two three four": "1234",
    "Ticket 12 34.": "1234",
    "Take a tea 1234.": "1234",
    "T-K-T-1-2-3-4.": "TKT-1234",
    "T. K. T. 1. 2. 3. 4.": "TKT-1234",
    "TKT 1, 2, 3, 4": "TKT-1234",
    "TKT12 34": "TKT-1234",
    "tee kay tee forty-eight twenty-one": "TKT-4821",
    "it's tkt double one double two": "TKT-1122",
    "": "",
}
HAVING_NONE = (
    "I don't have a ticket yet.",
    "I don\u2019t have one.",
    "No.",
    "Nope, sorry",
    "I haven't got one.",
    "There isn't one.",
    "It's a new issue.",
    "I can't find it",
    "Not yet.",
    "None",
)


@pytest.mark.parametrize("text", YES)
def test_a_yes_is_understood(text: str) -> None:
    assert answers.yes_or_no(text) is True


@pytest.mark.parametrize("text", NO)
def test_a_no_is_understood(text: str) -> None:
    assert answers.yes_or_no(text) is False


@pytest.mark.parametrize("text", NEITHER)
def test_what_is_neither_yes_nor_no_is_asked_again(text: str) -> None:
    assert answers.yes_or_no(text) is None


@pytest.mark.parametrize(("text", "name"), PERSONS.items())
def test_a_name_is_read_out_of_the_words_around_it(text: str, name: str) -> None:
    assert answers.person(text) == name


@pytest.mark.parametrize(("text", "name"), COMPANIES.items())
def test_a_company_is_read_out_of_the_words_around_it(text: str, name: str) -> None:
    assert answers.company(text) == name


@pytest.mark.parametrize(("text", "found"), TICKETS.items())
def test_a_ticket_is_read_however_it_is_spelled(text: str, found: str) -> None:
    assert answers.ticket(text) == found


@pytest.mark.parametrize("text", HAVING_NONE)
def test_having_no_ticket_is_understood(text: str) -> None:
    assert answers.has_none(text)
    assert answers.ticket(text) == ""


@pytest.mark.parametrize("text", ["TKT-1234", "No, it's 1234", "one two three", "It's Maria."])
def test_a_ticket_is_not_taken_for_having_none(text: str) -> None:
    assert not answers.has_none(text)


def test_a_story_keeps_the_callers_words_up_to_a_limit() -> None:
    assert answers.story("  The  printer\nsmokes. ") == "The printer smokes."
    assert len(answers.story("word " * 1_000)) == answers.VALUE_LETTERS_MAX


@pytest.mark.parametrize("read", [answers.person, answers.company, answers.ticket])
@pytest.mark.parametrize(
    "text", ["\x00", "'" * 500, "a " * 5_000, "it's " * 2_000, "1 " * 5_000, "\ud800", "²", "١٢٣"]
)
def test_no_words_at_all_break_a_reader(read: object, text: str) -> None:
    assert callable(read)
    assert len(read(text)) <= answers.VALUE_LETTERS_MAX


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("name", "No, my name is Maria Lopez.", "Maria Lopez"),
        ("name", "the name is wrong", ""),
        ("name", "The company name is Globex.", ""),
        ("name", "It's Maria.", ""),
        ("name", "My name is Maria and I'm calling from Acme.", "Maria"),
        ("company", "The company name is Globex.", "Globex"),
        ("company", "I'm calling from Acme.", "Acme"),
        ("company", "The company is wrong.", ""),
        ("company", "It's Acme.", ""),
        ("ticket_id", "No, it's T K T 1 2 3 4.", "TKT-1234"),
        ("ticket_id", "the ticket is 1234", "1234"),
        ("ticket_id", "it's 1234", ""),
        ("ticket_id", "The ticket is wrong.", ""),
        ("problem", "The problem is the printer.", ""),
    ],
)
def test_an_answer_that_names_itself_is_understood_whatever_was_asked(
    field: str, text: str, value: str
) -> None:
    assert answers.clear(field, text) == value


@pytest.mark.parametrize(
    ("text", "is_story"),
    [("It smokes.", True), ("No paper", True), ("Yes, hello.", False), ("Hmm.", False), ("", False),
     ("okay " * 500, False)],
)  # fmt: skip
def test_a_story_tells_something(text: str, *, is_story: bool) -> None:
    assert answers.is_story(text) is is_story
