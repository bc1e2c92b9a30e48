import pytest

from service.agent.chat.question import ANY, asked

ASKED = {
    "May I have your name, please?": "name",
    "Which company are you calling from?": "company",
    "What is your company's name?": "company",
    "Please tell me your ticket number.": "ticket_id",
    "Could you spell the case ID for me": "ticket_id",
    "What seems to be the problem?": "problem",
    "What\u2019s wrong with it?": "problem",
    "Which number can we reach you on?": "phone",
    "What is your phone number?": "phone",
    "Your ticket is TKT-1234, is that right?": "read_back",
    "Is that correct?": "read_back",
    "Shall I go on?": ANY,
    'Did you say "no"?"': ANY,
    "Okay, please repeat that.": ANY,
    "Your name is Maria.": "",
    "One moment, please.": "",
    "Please hold the line.": "",
    "Thank you.": "",
    "": "",
}


@pytest.mark.parametrize(("sentence", "field"), ASKED.items())
def test_a_question_tells_what_it_asks_for(sentence: str, field: str) -> None:
    assert asked(sentence) == field
