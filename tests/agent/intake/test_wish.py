import pytest

from service.agent.intake.wish import LETTERS_MAX, wish

WISHES = {
    "person": (
        "Agent.", "agent please", "I want to speak to a human", "operator", "Representative!",
        "Can I talk to a real person, please?", "put me through", "transfer me to an agent",
        "I need to speak with someone about my invoice", "Can you get me a supervisor?", "human",
        "Connect me with somebody", "a real person", "No, I'd like to talk to a person.",
        "I have tried this three times now, can I please talk to somebody about it?",
    ),
    "goodbye": (
        "Goodbye.", "Bye bye", "That's all, thank you, goodbye.", "ok thanks bye", "good-bye",
        "Bye, I have to go", "Hang up", "never mind, bye",
    ),
    "repeat": (
        "What?", "What did you say?", "Sorry?", "Pardon me?", "Can you repeat that, please?",
        "Repeat.", "say that again", "I didn\u2019t catch that", "I don't understand",
        "Could you say it more slowly please", "Excuse me?", "One more time.",
    ),
    "presence": (
        "Hello?", "Hello, are you still there?", "can you hear me?", "is anybody there?",
    ),
    "time": (
        "One moment.", "Hold on, let me look it up.", "Well, um, let me think about it.",
        "just a second please", "okay, wait",
    ),
    "": (
        "", "?!", "Yes", "No.", "okay", "Well.", "Maria Lopez", "someone", "Human Resources",
        "The agent software hangs.", "I talked to an agent yesterday.", "No, sorry",
        "People are complaining that the printer is slow", "What do you mean?",
        "When I talk to someone on the phone the app crashes every time",
        "When I say goodbye it crashes", "I am looking for TKT-1234", "Hello, this is Maria.",
        "agent " * LETTERS_MAX,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wished"), [(text, wished) for wished, texts in WISHES.items() for text in texts]
)
def test_a_wish_is_told_from_an_answer(text: str, wished: str) -> None:
    assert wish(text) == wished


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "word", ["well ", "ok thank you ", "hello ", "um ", "let me see ", "please ", "bye ", "wait "]
)
def test_no_words_keep_us_busy(word: str) -> None:
    assert wish(word * 60 + "x") in ("", "person")
    assert wish((word * 100)[: LETTERS_MAX - 2] + " x") == ""
