import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from service.audio import SILENCE, samples
from service.call.inputs import BargedIn, Input, SpeechBegan, Utterance
from service.errors import SpeechError
from service.session import ear as module
from service.session.ear import Ear
from service.speech.endpoint import Endpointer
from tests.conftest import wait_until
from tests.session.parts import LOUD, LoudVoice, ScriptedSpeech

pytestmark = pytest.mark.asyncio


class Room:
    """An ear, and what it told."""

    def __init__(self) -> None:
        self.speech = ScriptedSpeech()
        self.told: list[Input] = []
        self.ear = Ear("CA1", self.speech, lambda: Endpointer(LoudVoice()), self.told.append)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Ear]:
        running = asyncio.create_task(self.ear.run())
        try:
            yield self.ear
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    def hear(self, sound: bytes, duration_ms: int, *, over_us: bool = False) -> None:
        for _ in range(duration_ms // 20):
            self.ear.hear(sound * samples(20), is_mouth_busy=over_us)

    def utterances(self) -> list[Utterance]:
        return [one for one in self.told if isinstance(one, Utterance)]


async def test_speech_begins_and_ends_in_an_utterance() -> None:
    room = Room()
    room.speech.transcripts.append("hello")
    async with room.listening():
        room.hear(LOUD, 300)
        assert room.told == [SpeechBegan()]
        room.hear(SILENCE, 700)
        await wait_until(lambda: bool(room.utterances()), description="it is understood")
    (said,) = room.utterances()
    assert (said.text, said.confidence_milli, said.is_partial) == ("hello", 900, False)
    assert said.duration_ms >= 300


async def test_speech_over_ours_is_a_barge_in_once_and_only_when_it_lasts() -> None:
    room = Room()
    async with room.listening():
        room.hear(LOUD, 300, over_us=True)
        assert BargedIn() not in room.told
        room.hear(LOUD, 700, over_us=True)
        assert room.told.count(BargedIn()) == 1
        room.hear(SILENCE, 700)
        room.hear(LOUD, 500, over_us=True)
        assert room.told.count(BargedIn()) == 2


async def test_a_half_utterance_is_recognised_when_the_stream_goes() -> None:
    room = Room()
    room.speech.transcripts.append("my ticket")
    async with room.listening() as ear:
        room.hear(LOUD, 400)
        ear.detach()
        await wait_until(lambda: bool(room.utterances()), description="the half is understood")
        ear.attach()
        ear.detach()
    assert room.utterances()[0].is_partial
    assert len(room.utterances()) == 1


async def test_a_half_utterance_goes_on_in_a_stream_that_is_back_at_once() -> None:
    room = Room()
    room.speech.transcripts.append("my ticket number is one two three")
    async with room.listening() as ear:
        room.hear(LOUD, 400)
        ear.detach()
        ear.attach()
        room.hear(LOUD, 300)
        room.hear(SILENCE, 700)
        await wait_until(lambda: bool(room.utterances()), description="the whole is understood")
    (said,) = room.utterances()
    assert not said.is_partial
    assert said.duration_ms >= 700


async def test_utterances_are_recognised_in_their_order() -> None:
    room = Room()
    room.speech.transcripts.extend(["one", "two", "three"])
    async with room.listening():
        for _ in range(3):
            room.hear(LOUD, 200)
            room.hear(SILENCE, 700)
        await wait_until(lambda: len(room.utterances()) == 3, description="all are understood")
    assert [one.text for one in room.utterances()] == ["one", "two", "three"]


@pytest.mark.parametrize("trouble", [SpeechError("no"), RuntimeError("a fault of the engine")])
async def test_an_engine_that_fails_leaves_an_ear_that_still_hears(trouble: Exception) -> None:
    room = Room()
    room.speech.trouble = trouble
    async with room.listening():
        room.hear(LOUD, 200)
        room.hear(SILENCE, 700)
        await wait_until(lambda: len(room.utterances()) == 1, description="it is not understood")
        room.speech.trouble = None
        room.speech.transcripts.append("again")
        room.hear(LOUD, 200)
        room.hear(SILENCE, 700)
        await wait_until(lambda: len(room.utterances()) == 2, description="it is understood")
    assert [one.text for one in room.utterances()] == ["", "again"]


async def test_an_engine_that_never_answers_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "RECOGNISE_MS_MAX", 20)
    room = Room()
    room.speech.may_answer.clear()
    async with room.listening():
        room.hear(LOUD, 200)
        room.hear(SILENCE, 700)
        await wait_until(lambda: bool(room.utterances()), description="it is given up")
    assert room.utterances()[0].text == ""


async def test_more_than_can_wait_is_given_up_and_said_so() -> None:
    room = Room()
    for _ in range(module.UTTERANCES_WAITING_MAX + 2):
        room.hear(LOUD, 200)
        room.hear(SILENCE, 700)
    assert len(room.utterances()) == 2
    assert all(one.text == "" for one in room.utterances())
