import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from typing_extensions import override

from service.audio import SILENCE, samples
from service.call.inputs import BargedIn, Input, PartlyHeard, SpeechBegan, Utterance
from service.call.state import Call, Prompt
from service.errors import SpeechError
from service.session.conversation import ear as module, guess
from service.session.conversation.ear import Ear
from service.speech.ear.endpoint import UTTERANCE_MAX, Endpointer
from service.speech.ear.voice import Voice
from tests.conftest import wait_until
from tests.session.parts import LOUD, LoudVoice, ScriptedSpeech

pytestmark = pytest.mark.asyncio

STATEMENT = Prompt("p1", 1, ("A colleague will look at this today.", "We call you back."))


class LateVoice(LoudVoice):
    """Knows its verdicts only when the test says so."""

    made: "LateVoice"

    def __init__(self) -> None:
        super().__init__()
        self._late: tuple[bool, ...] = ()
        self._known: tuple[bool, ...] = ()
        self._tell: Callable[[], None] | None = None
        LateVoice.made = self

    @override
    def feed(self, ulaw: bytes) -> tuple[bool, ...]:
        known, self._known = self._known, ()
        self._late += super().feed(ulaw)
        return known

    @override
    def when_decided(self, tell: Callable[[], None] | None) -> None:
        self._tell = tell

    def decide(self) -> None:
        self._known, self._late = self._known + self._late, ()
        if self._tell is not None:
            self._tell()


class Room:
    """An ear, what it told, and a call whose state the test sets."""

    def __init__(self, *transcripts: str, voice: Callable[[], Voice] = LoudVoice) -> None:
        self.speech = ScriptedSpeech()
        self.speech.transcripts.extend(transcripts)
        self.told: list[Input] = []
        self.floor: list[str] = []
        self.call = Call(call_sid="CA1")
        self.ear = Ear(
            "CA1",
            self.speech,
            lambda: Endpointer(voice()),
            self.told.append,
            call=lambda: self.call,
            on_onset=lambda: self.floor.append("taken"),
            on_false_alarm=lambda: self.floor.append("back"),
        )

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Ear]:
        running = asyncio.create_task(self.ear.run())
        try:
            yield self.ear
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    def hear(self, sound: bytes, duration_ms: int) -> None:
        """All at once: nothing else runs meanwhile."""
        for _ in range(duration_ms // 20):
            self.ear.hear(sound * samples(20))

    async def live(self, sound: bytes, duration_ms: int) -> None:
        """Frame by frame, with the loop running in between as it does on a call."""
        for _ in range(duration_ms // 20):
            self.ear.hear(sound * samples(20))
            for _ in range(5):
                await asyncio.sleep(0)

    def utterances(self) -> list[Utterance]:
        return [one for one in self.told if isinstance(one, Utterance)]

    def partly(self) -> list[str]:
        return [one.text for one in self.told if isinstance(one, PartlyHeard)]

    def barged(self) -> int:
        return self.told.count(BargedIn())

    async def understood(self, count: int = 1) -> None:
        await wait_until(
            lambda: len(self.utterances()) == count, description=f"{count} are understood"
        )


async def test_speech_begins_and_ends_in_an_utterance() -> None:
    room = Room("hello")
    async with room.listening():
        room.hear(LOUD, 300)
        assert room.told == [SpeechBegan()]
        room.hear(SILENCE, 1_300)
        await room.understood()
    (said,) = room.utterances()
    assert (said.text, said.confidence_milli, said.is_partial) == ("hello", 900, False)
    assert said.duration_ms >= 300
    assert room.barged() == 0


async def test_the_guess_of_the_pause_is_the_transcript() -> None:
    room = Room("My name is Maria.")
    async with room.listening():
        await room.live(LOUD, 400)
        await room.live(SILENCE, 300)
        assert len(room.speech.heard) == 1
        await room.live(SILENCE, 280)
        assert room.utterances() == []
        await room.live(SILENCE, 20)
        assert [one.text for one in room.utterances()] == ["My name is Maria."]
    assert len(room.speech.heard) == 1


@pytest.mark.parametrize(
    ("asked", "text", "patience_ms"),
    [("read_back", "Yes.", 400), ("name", "My name is", 1_100), ("ticket_id", "T K T", 1_200)],
)
async def test_the_words_so_far_set_the_patience(asked: str, text: str, patience_ms: int) -> None:
    room = Room(text)
    room.call = Call(asked=asked)
    async with room.listening():
        await room.live(LOUD, 400)
        await room.live(SILENCE, patience_ms - 20)
        assert room.utterances() == []
        await room.live(SILENCE, 20)
        assert [one.text for one in room.utterances()] == [text]


async def test_what_is_said_after_a_pause_is_recognised_anew_with_all_before() -> None:
    room = Room("My name is", "My name is Maria.")
    async with room.listening():
        await room.live(LOUD, 400)
        await room.live(SILENCE, 900)
        await room.live(LOUD, 200)
        await room.live(SILENCE, 620)
    (said,) = room.utterances()
    assert said.text == "My name is Maria."
    assert len(room.speech.heard[1]) > len(room.speech.heard[0]) + samples(900)


async def test_a_slow_guess_is_waited_for_and_made_only_once() -> None:
    room = Room("yes")
    room.speech.may_answer.clear()
    async with room.listening():
        await room.live(LOUD, 400)
        await room.live(SILENCE, 1_300)
        assert room.utterances() == []
        room.speech.may_answer.set()
        await room.understood()
    assert room.utterances()[0].text == "yes"
    assert len(room.speech.heard) == 1


async def test_while_the_caller_speaks_on_the_words_are_told_about_once_a_second() -> None:
    room = Room("I", "I can't", "I can't print", "I can't print", "I can't print at all")
    async with room.listening():
        await room.live(LOUD, 5_500)
        assert room.partly() == ["I", "I can't", "I can't print", "I can't print at all"]
        assert len(room.speech.heard) == 5
        assert room.utterances() == []


async def test_a_long_story_is_not_recognised_again_and_again() -> None:
    room = Room(*["words"] * 20)
    async with room.listening():
        await room.live(LOUD, 14_000)
        assert len(room.speech.heard) <= 8
        assert max(map(len, room.speech.heard)) <= samples(module.GUESS_OF_MS_MAX)


async def test_a_slow_recogniser_is_asked_for_fewer_guesses() -> None:
    room = Room(*["words"] * 20)
    room.speech.may_answer.clear()
    async with room.listening():
        await room.live(LOUD, 2_000)
        room.speech.may_answer.set()
        await room.live(LOUD, 2_000)
        assert len(room.speech.heard) == 1


async def test_the_mouth_is_stopped_by_two_frames_of_voice_before_speech_is_certain() -> None:
    room = Room()
    async with room.listening() as ear:
        room.hear(LOUD, 20)
        assert room.floor == []
        room.hear(LOUD, 20)
        assert room.floor == ["taken"]
        assert ear.has_floor
        assert room.told == []


async def test_a_click_gives_the_floor_back_and_tells_nobody() -> None:
    room = Room()
    async with room.listening() as ear:
        room.hear(LOUD, 40)
        room.hear(SILENCE, 300)
        assert room.floor == ["taken", "back"]
        assert not ear.has_floor
        assert room.told == []


async def test_the_caller_has_the_floor_until_the_words_are_told() -> None:
    room = Room("yes")
    room.speech.may_answer.clear()
    async with room.listening() as ear:
        await room.live(LOUD, 300)
        await room.live(SILENCE, 1_300)
        assert ear.has_floor
        room.speech.may_answer.set()
        await room.understood()
        assert not ear.has_floor
    assert room.floor == ["taken"]


async def test_words_over_ours_are_a_barge_in_once_an_utterance() -> None:
    room = Room("wait", "wait a moment", "stop")
    room.call = Call(prompts=(STATEMENT,))
    async with room.listening():
        await room.live(LOUD, 400)
        assert room.barged() == 0
        await room.live(LOUD, 700)
        assert room.barged() == 1
        await room.live(SILENCE, 1_300)
        await room.live(LOUD, 300)
        await room.live(SILENCE, 320)
        assert room.barged() == 2


async def test_a_sign_of_listening_is_no_barge_in_and_is_over_soon() -> None:
    room = Room("mm-hm")
    room.call = Call(prompts=(STATEMENT,))
    async with room.listening():
        await room.live(LOUD, 300)
        await room.live(SILENCE, 420)
        assert [one.text for one in room.utterances()] == ["mm-hm"]
        assert room.barged() == 0


async def test_a_cough_is_no_barge_in_and_is_over_soon() -> None:
    room = Room("")
    room.call = Call(prompts=(STATEMENT,))
    async with room.listening() as ear:
        await room.live(LOUD, 300)
        await room.live(SILENCE, 420)
        assert [one.text for one in room.utterances()] == [""]
        assert not ear.has_floor
        assert room.barged() == 0


async def test_a_voice_that_lasts_is_a_barge_in_before_its_words_are_known() -> None:
    room = Room()
    room.speech.may_answer.clear()
    room.call = Call(prompts=(STATEMENT,))
    async with room.listening():
        await room.live(LOUD, 880)
        assert room.barged() == 0
        await room.live(LOUD, 20)
        assert room.barged() == 1


async def test_speech_while_nothing_is_said_is_no_barge_in_until_something_is() -> None:
    room = Room("I have another", "question")
    async with room.listening():
        await room.live(LOUD, 1_500)
        assert room.barged() == 0
        room.call = Call(prompts=(STATEMENT,))
        await room.live(LOUD, 20)
        assert room.barged() == 1


async def test_a_line_that_made_no_words_for_long_no_longer_takes_the_floor() -> None:
    room = Room()
    room.call = Call(prompts=(STATEMENT,))
    async with room.listening() as ear:
        await room.live(LOUD, UTTERANCE_MAX // 8)
        await room.understood()
        barged = room.barged()
        await room.live(LOUD, 3_000)
        assert not ear.has_floor
        assert room.barged() == barged
        room.speech.transcripts.append("hello")
        await room.live(LOUD, 1_000)
        assert ear.has_floor
        assert room.barged() == barged + 1


async def test_a_half_utterance_is_recognised_when_the_stream_goes() -> None:
    room = Room("my ticket")
    async with room.listening() as ear:
        room.hear(LOUD, 400)
        ear.detach()
        assert not ear.has_floor
        await room.understood()
        ear.attach()
        ear.detach()
    assert room.utterances()[0].is_partial
    assert len(room.utterances()) == 1


async def test_words_known_before_the_drop_stand_when_the_half_is_not_recognised() -> None:
    room = Room("my ticket")
    async with room.listening() as ear:
        await room.live(LOUD, 1_300)
        ear.detach()
        room.speech.trouble = SpeechError("no")
        await room.understood()
    (said,) = room.utterances()
    assert (said.text, said.is_partial) == ("my ticket", True)


async def test_a_half_utterance_goes_on_in_a_stream_that_is_back_at_once() -> None:
    room = Room("my ticket", "my ticket number is one two three")
    async with room.listening() as ear:
        await room.live(LOUD, 2_000)
        ear.detach()
        ear.attach()
        assert ear.has_floor
        await room.live(LOUD, 300)
        await room.live(SILENCE, 1_300)
        await room.understood()
    (said,) = room.utterances()
    assert not said.is_partial
    assert said.text == "my ticket number is one two three"
    assert said.duration_ms >= 2_300
    assert room.partly().count("my ticket") == 1


async def test_utterances_are_told_in_their_order() -> None:
    room = Room("one", "two", "three")
    async with room.listening():
        for _ in range(3):
            room.hear(LOUD, 200)
            room.hear(SILENCE, 1_300)
        await room.understood(3)
    assert [one.text for one in room.utterances()] == ["one", "two", "three"]


@pytest.mark.parametrize("trouble", [SpeechError("no"), RuntimeError("a fault of the engine")])
async def test_an_engine_that_fails_leaves_an_ear_that_still_hears(trouble: Exception) -> None:
    room = Room()
    room.speech.trouble = trouble
    async with room.listening():
        room.hear(LOUD, 200)
        room.hear(SILENCE, 1_300)
        await room.understood()
        room.speech.trouble = None
        room.speech.transcripts.append("again")
        room.hear(LOUD, 200)
        room.hear(SILENCE, 1_300)
        await room.understood(2)
    assert [one.text for one in room.utterances()] == ["", "again"]


async def test_an_engine_that_never_answers_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guess, "GUESS_MS_MAX", 20)
    monkeypatch.setattr(guess, "RECOGNISE_MS_MAX", 20)
    room = Room()
    room.speech.may_answer.clear()
    async with room.listening():
        room.hear(LOUD, 200)
        room.hear(SILENCE, 1_300)
        await room.understood()
    assert room.utterances()[0].text == ""


async def test_more_than_can_wait_is_given_up_and_said_so() -> None:
    room = Room()
    for _ in range(module.UTTERANCES_WAITING_MAX + 2):
        room.hear(LOUD, 200)
        room.hear(SILENCE, 1_300)
    assert len(room.utterances()) == 2
    assert all(one.text == "" for one in room.utterances())


async def test_an_utterance_goes_on_over_a_gap_of_which_nothing_was_missed() -> None:
    room = Room("I can not log in")
    async with room.listening():
        room.hear(LOUD, 400)
        room.ear.go_on()
        room.hear(LOUD, 400)
        room.hear(SILENCE, 1_300)
        await room.understood()
        room.ear.go_on()
    assert room.told.count(SpeechBegan()) == 2
    (said,) = room.utterances()
    assert not said.is_partial
    assert said.duration_ms >= 800
    assert len(room.speech.heard[-1]) >= samples(800)


async def test_what_is_decided_late_is_heard_late() -> None:
    room = Room("hello", voice=LateVoice)
    async with room.listening():
        room.hear(LOUD, 300)
        room.hear(SILENCE, 1_300)
        assert (room.told, room.floor) == ([], [])
        LateVoice.made.decide()
        assert room.floor[0] == "taken"
        await room.understood()
    assert room.utterances()[0].text == "hello"


async def test_what_is_decided_when_the_stream_is_gone_means_nothing() -> None:
    room = Room(voice=LateVoice)
    async with room.listening() as ear:
        room.hear(LOUD, 300)
        ear.detach()
        LateVoice.made.decide()
        assert (room.told, room.floor) == ([], [])
        old = LateVoice.made
        ear.attach()
        old.decide()
        assert room.told == []
