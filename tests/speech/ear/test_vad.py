import asyncio
import math
import random
import struct
import sys
from functools import partial

import pytest
from typing_extensions import override

from service.audio import FRAME_SAMPLES, encode, silence
from service.errors import EngineMissing
from service.speech.ear.batch import Batch, Waiting
from service.speech.ear.foreground import FULL_SCALE, QUIET_CALLER_DB, SPAN_DB_MAX
from service.speech.ear.silero import WINDOW_BYTES, SileroScorer
from service.speech.ear.vad import (
    GATE_HOLD_FRAMES,
    HUSH,
    WAITING_MAX,
    WARM_UP_BYTES,
    VoiceActivity,
    batch,
    voice_activity,
)
from tests.conftest import wait_until
from tests.speech.recordings import Recording, manifest, of_kind, recording

LOUD = b"\x00" * FRAME_SAMPLES
QUIET = silence(FRAME_SAMPLES)
FAR = b"\x50" * FRAME_SAMPLES  # 30 dB below LOUD


class LoudnessGate:
    """Hears speech in whatever is not silent."""

    def is_speech(self, buf: bytes, sample_rate: int, length: int) -> bool:
        assert sample_rate == 8_000
        assert (length, len(buf)) == (FRAME_SAMPLES, 2 * FRAME_SAMPLES)
        return any(buf)


class ScriptedScorer:
    """Answers what it is told, and notes what it was given."""

    def __init__(self, *scores: int) -> None:
        self.scores = list(scores)
        self.windows: list[bytes] = []
        self.resets = 0

    def score(self, pcm: bytes) -> int:
        assert len(pcm) == WINDOW_BYTES
        self.windows.append(pcm)
        return self.scores.pop(0) if self.scores else 0

    def reset(self) -> None:
        self.resets += 1


def test_on_a_quiet_line_nothing_is_scored() -> None:
    scorer = ScriptedScorer()
    assert not any(VoiceActivity(LoudnessGate(), scorer).feed(silence(80_000)))
    assert scorer.windows == []


def test_what_is_too_quiet_for_any_caller_is_not_even_asked_about() -> None:
    class Deaf:
        def is_speech(self, buf: bytes, sample_rate: int, length: int) -> bool:
            raise AssertionError((buf[:8], sample_rate, length))

    chance = random.Random(1)
    hiss = struct.pack("<1600h", *(chance.randrange(-40, 41) for _ in range(1_600)))
    assert not any(VoiceActivity(Deaf(), ScriptedScorer()).feed(encode(hiss)))
    least_near_db = QUIET_CALLER_DB - SPAN_DB_MAX
    assert 20 * math.log10(HUSH / FULL_SCALE) <= least_near_db - 3, "what may count is asked about"


def test_sound_that_is_no_voice_is_silence() -> None:
    assert not any(VoiceActivity(LoudnessGate(), ScriptedScorer()).feed(LOUD * 50))


def test_a_voice_begins_at_one_half_and_ends_lower() -> None:
    scorer = ScriptedScorer(499, 500, 400, 350, 349)
    verdicts = VoiceActivity(LoudnessGate(), scorer).feed(LOUD * 8)
    assert verdicts == (False, False, False, True, True, True, True, False)


def test_the_scorer_first_hears_the_moments_before_the_gate_opened() -> None:
    scorer = ScriptedScorer()
    VoiceActivity(LoudnessGate(), scorer).feed(QUIET * 20 + LOUD)
    heard = b"".join(scorer.windows)
    assert len(heard) >= WARM_UP_BYTES
    assert not any(heard[: WARM_UP_BYTES - WINDOW_BYTES])


def test_a_short_stop_does_not_make_the_scorer_forget() -> None:
    scorer = ScriptedScorer(*[900] * 99)
    ear = VoiceActivity(LoudnessGate(), scorer)
    assert all(ear.feed(LOUD * 20)[2:])
    ear.feed(QUIET * (GATE_HOLD_FRAMES - 1))
    assert scorer.resets == 0
    assert all(ear.feed(LOUD * 2))


def test_when_the_gate_shuts_the_voice_is_over_and_forgotten() -> None:
    scorer = ScriptedScorer(*[900] * 99)
    ear = VoiceActivity(LoudnessGate(), scorer)
    ear.feed(LOUD * 20)
    verdicts = ear.feed(QUIET * (GATE_HOLD_FRAMES + 5))
    assert verdicts[GATE_HOLD_FRAMES - 1 :] == (False,) * 6
    assert scorer.resets == 1


def test_a_voice_far_behind_the_caller_is_silence() -> None:
    scorer = ScriptedScorer(*[900] * 99)
    ear = VoiceActivity(LoudnessGate(), scorer)
    assert all(ear.feed(LOUD * 20)[2:])
    assert not any(ear.feed(FAR * 30)[12:])


def fetch(ear: VoiceActivity[SileroScorer], verdicts: list[bool]) -> None:
    verdicts.extend(ear.feed(b""))


class Slow(Batch[ScriptedScorer]):
    """A batch that runs when the test says so."""

    def __init__(self) -> None:
        super().__init__(lambda asked: [scorer.score(window) for scorer, window in asked])
        self.added: list[Waiting[ScriptedScorer]] = []
        self.dropped: list[Waiting[ScriptedScorer]] = []

    @override
    def add(self, one: Waiting[ScriptedScorer]) -> None:
        self.added.append(one)

    @override
    def drop(self, one: Waiting[ScriptedScorer]) -> None:
        self.dropped.append(one)


def test_with_a_batch_verdicts_come_late_and_in_order() -> None:
    scorer, batch, told = ScriptedScorer(*[900] * 99), Slow(), []
    ear = VoiceActivity(LoudnessGate(), scorer, batch)
    ear.when_decided(lambda: told.append(ear.feed(b"")))
    assert ear.feed(LOUD) == (False,)
    assert ear.feed(LOUD) == ()
    assert ear.feed(LOUD) == ()
    assert batch.added == [ear, ear]
    assert not ear.answer(scorer.score(ear.window))
    ear.tell()
    assert told == [(True, True)]
    ear.tell()
    assert told == [(True, True)]


def test_a_quiet_line_waits_for_no_batch() -> None:
    batch = Slow()
    ear = VoiceActivity(LoudnessGate(), ScriptedScorer(), batch)
    assert ear.feed(QUIET * 50) == (False,) * 50
    assert batch.added == []


def test_when_the_gate_shuts_what_waits_is_scored_first() -> None:
    scorer, batch = ScriptedScorer(*[900] * 99), Slow()
    ear = VoiceActivity(LoudnessGate(), scorer, batch)
    early = ear.feed(LOUD * 20 + QUIET * (GATE_HOLD_FRAMES - 1))
    late = ear.feed(QUIET * 3)
    alone = VoiceActivity(LoudnessGate(), ScriptedScorer(*[900] * 99))
    assert early + late == alone.feed(LOUD * 20 + QUIET * (GATE_HOLD_FRAMES + 2))
    assert batch.dropped == [ear]


def test_a_call_that_waits_for_too_much_waits_no_longer() -> None:
    scorer = ScriptedScorer(*[900] * 999)
    ear = VoiceActivity(LoudnessGate(), scorer, Slow())
    verdicts = ear.feed(LOUD * 2 * WAITING_MAX)
    assert len(scorer.windows) > WAITING_MAX
    assert len(verdicts) > WAITING_MAX


def test_a_call_that_nobody_listens_to_is_left() -> None:
    batch = Slow()
    ear = VoiceActivity(LoudnessGate(), ScriptedScorer(), batch)
    ear.feed(LOUD * 2)
    ear.when_decided(None)
    assert batch.dropped == [ear]
    ear.answer(900)
    ear.tell()


@pytest.mark.asyncio
async def test_calls_that_share_runs_get_the_verdicts_that_each_would_get_alone() -> None:
    callers = [silence(3_000) + spoken.ulaw + silence(8_000) for spoken in manifest()]
    together = batch()
    ears = [voice_activity(together) for _ in callers]
    found: list[list[bool]] = [[] for _ in callers]
    for ear, verdicts in zip(ears, found, strict=True):
        ear.when_decided(partial(fetch, ear, verdicts))
    for at in range(0, max(map(len, callers)), FRAME_SAMPLES):
        for ear, caller, verdicts in zip(ears, callers, found, strict=True):
            verdicts.extend(ear.feed(caller[at : at + FRAME_SAMPLES]))
        await asyncio.sleep(0)
    expected = [voice_activity().feed(caller) for caller in callers]
    await wait_until(
        lambda: list(map(len, found)) == list(map(len, expected)), description="all is decided"
    )
    assert list(map(tuple, found)) == expected


def test_without_a_scorer_the_gate_decides() -> None:
    ear: VoiceActivity[ScriptedScorer] = VoiceActivity(LoudnessGate(), None)
    assert ear.feed(LOUD + QUIET + LOUD) == (True, False, True)


@pytest.mark.parametrize("piece", [1, 160, 320, 999, 4_000])
def test_verdicts_do_not_depend_on_the_pieces(piece: int) -> None:
    whole = silence(3_000) + recording("human_2.ulaw") + silence(8_000)
    ear = voice_activity()
    pieces = (whole[at : at + piece] for at in range(0, len(whole), piece))
    verdicts = tuple(verdict for part in pieces for verdict in ear.feed(part))
    assert verdicts == voice_activity().feed(whole)
    assert len(verdicts) == len(whole) // FRAME_SAMPLES


@pytest.mark.parametrize("spoken", of_kind("human", "rendered"), ids=lambda spoken: spoken.file)
def test_every_caller_is_noticed(spoken: Recording) -> None:
    verdicts = voice_activity().feed(spoken.ulaw)
    assert sum(verdicts) > 0.45 * len(verdicts)


@pytest.mark.parametrize("file", ["silence.ulaw", "noise_pink.ulaw"])
def test_silence_and_steady_noise_are_no_voice(file: str) -> None:
    assert not any(voice_activity().feed(recording(file)))


def test_without_silero_webrtc_alone_notices_a_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    verdicts = voice_activity().feed(silence(1_600) + recording("human_2.ulaw"))
    assert sum(verdicts) > 0.5 * len(verdicts)


def test_without_webrtc_nothing_can_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "webrtcvad", None)
    with pytest.raises(EngineMissing, match="webrtcvad"):
        voice_activity()
