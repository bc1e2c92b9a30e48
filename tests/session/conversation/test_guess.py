import asyncio
import logging

import pytest

from service.errors import SpeechError
from service.session.conversation import guess as module
from service.session.conversation.guess import Guess, Guesses, transcript
from service.speech.transcript import Transcript
from tests.conftest import wait_until
from tests.session.parts import ScriptedSpeech

pytestmark = pytest.mark.asyncio


class Answers:
    """What guesses were answered."""

    def __init__(self, *script: str) -> None:
        self.speech = ScriptedSpeech()
        self.speech.transcripts.extend(script)
        self.told: list[tuple[bytes, bool, str | None]] = []
        self.guesses = Guesses("CA1", self.speech, self._answered)

    def _answered(self, guess: Guess, found: Transcript | None) -> None:
        self.told.append((guess.ulaw, guess.in_pause, None if found is None else found.text))

    async def answered(self, count: int) -> None:
        await wait_until(lambda: len(self.told) == count, description=f"{count} answers")


async def test_a_guess_is_answered_with_what_it_was_made_of() -> None:
    answers = Answers("my ticket")
    answers.guesses.ask(b"abc", in_pause=True)
    assert answers.guesses.is_under_way
    await answers.answered(1)
    assert answers.told == [(b"abc", True, "my ticket")]
    assert not answers.guesses.is_under_way


async def test_a_newer_guess_takes_the_place_of_the_one_under_way() -> None:
    answers = Answers("my ticket number")
    answers.speech.may_answer.clear()
    answers.guesses.ask(b"abc", in_pause=False)
    await asyncio.sleep(0)
    answers.guesses.ask(b"abcdef", in_pause=True)
    answers.speech.may_answer.set()
    await answers.answered(1)
    assert answers.told == [(b"abcdef", True, "my ticket number")]
    assert answers.speech.heard == [b"abcdef"]


async def test_the_guess_of_the_very_same_audio_is_handed_over_and_told_to_nobody_else() -> None:
    answers = Answers("yes")
    answers.guesses.ask(b"abc", in_pause=True)
    taken = answers.guesses.take(b"".join((b"a", b"bc")))
    assert taken is not None
    assert await taken == Transcript("yes", 900)
    assert answers.told == []
    assert not answers.guesses.is_under_way


async def test_a_guess_that_was_answered_can_still_be_handed_over() -> None:
    answers = Answers("yes")
    answers.guesses.ask(b"abc", in_pause=True)
    await answers.answered(1)
    taken = answers.guesses.take(b"abc")
    assert taken is not None
    assert taken.result() == Transcript("yes", 900)
    assert answers.guesses.take(b"abc") is None


async def test_a_guess_of_other_audio_is_dropped() -> None:
    answers = Answers("yes")
    answers.speech.may_answer.clear()
    answers.guesses.ask(b"abc", in_pause=False)
    assert answers.guesses.take(b"abcd") is None
    assert not answers.guesses.is_under_way
    answers.guesses.drop()


@pytest.mark.parametrize("trouble", [SpeechError("no"), RuntimeError("a fault of the engine")])
async def test_a_guess_that_fails_is_answered_with_nothing(trouble: Exception) -> None:
    answers = Answers()
    answers.speech.trouble = trouble
    answers.guesses.ask(b"abc", in_pause=True)
    await answers.answered(1)
    assert answers.told == [(b"abc", True, None)]


async def test_a_guess_that_takes_too_long_is_answered_with_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "GUESS_MS_MAX", 20)
    answers = Answers()
    answers.speech.may_answer.clear()
    answers.guesses.ask(b"abc", in_pause=False)
    await answers.answered(1)
    assert answers.told == [(b"abc", False, None)]


async def test_a_transcript_that_fails_is_logged_and_is_none(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECOGNISE_MS_MAX", 20)
    speech = ScriptedSpeech()
    speech.transcripts.append("hello")
    assert await transcript("CA1", speech, b"abc") == Transcript("hello", 900)
    speech.may_answer.clear()
    with caplog.at_level(logging.ERROR):
        assert await transcript("CA1", speech, b"abc") is None
    assert "an utterance was not recognised" in caplog.text
