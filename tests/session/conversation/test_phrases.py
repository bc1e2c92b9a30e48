from service.agent.intake.intake import Intake
from service.call.decisions.resume import SILENCE_LINE
from service.session.conversation.phrases import OURS, PHRASES_MAX, phrases
from tests.session.parts import ScriptedAgent


class Talkative(ScriptedAgent):
    phrases = ("One. " * 40, *("Two.",) * PHRASES_MAX)


def test_our_own_lines_are_rehearsed_first() -> None:
    rehearsed = list(phrases(ScriptedAgent()))
    assert SILENCE_LINE in rehearsed
    assert " ".join(rehearsed) == " ".join(OURS)


def test_an_agents_phrases_are_rehearsed_as_they_will_be_cut() -> None:
    rehearsed = list(phrases(Talkative()))[len(list(phrases(ScriptedAgent()))) :]
    assert all(len(clause) <= 120 for clause in rehearsed)
    assert rehearsed.count("Two.") == PHRASES_MAX - 1


def test_the_intake_agents_questions_are_rehearsed() -> None:
    assert "May I have your name, please?" in phrases(Intake())
