import sys

import pytest

from service.audio import decode, silence
from service.errors import EngineMissing, SpeechError
from service.speech.ear.silero import SURE, WINDOW_BYTES, SileroScorer, score_all
from tests.speech.recordings import of_kind, recording


def windows(ulaw: bytes) -> list[bytes]:
    pcm = decode(ulaw)
    whole = len(pcm) - len(pcm) % WINDOW_BYTES
    return [pcm[at : at + WINDOW_BYTES] for at in range(0, whole, WINDOW_BYTES)]


def test_a_voice_scores_high_and_silence_low() -> None:
    scorer = SileroScorer()
    spoken = [scorer.score(window) for window in windows(recording("human_1.ulaw"))]
    assert sum(score > 500 for score in spoken) > 0.7 * len(spoken)
    scorer.reset()
    assert max(scorer.score(window) for window in windows(silence(16_000))) < 200


def test_spelled_letters_and_digits_are_a_voice() -> None:
    scorer = SileroScorer()
    spelled = [scorer.score(window) for window in windows(recording("caller_david_ticket.ulaw"))]
    assert sum(score > 500 for score in spelled) > 0.8 * len(spelled)


def test_two_calls_share_the_model_and_nothing_else() -> None:
    voice = windows(recording("human_2.ulaw"))
    alone = SileroScorer()
    expected = [alone.score(window) for window in voice]
    first, second = SileroScorer(), SileroScorer()
    mixed = []
    for window in voice:
        mixed.append(first.score(window))
        second.score(voice[0])
    assert mixed == expected


def test_a_reset_scorer_has_forgotten() -> None:
    scorer = SileroScorer()
    voice = windows(recording("human_2.ulaw"))
    first = [scorer.score(window) for window in voice]
    scorer.reset()
    assert [scorer.score(window) for window in voice] == first


def test_many_calls_in_one_run_score_as_each_would_alone() -> None:
    voices = [windows(spoken.ulaw)[:60] for spoken in of_kind("human", "rendered")]
    alone = [
        [scorer.score(window) for window in voice]
        for voice in voices
        for scorer in [SileroScorer()]
    ]
    scorers = [SileroScorer() for _ in voices]
    together: list[list[int]] = [[] for _ in voices]
    for at in range(60):
        due = [call for call, voice in enumerate(voices) if at < len(voice)]
        scores = score_all([(scorers[call], voices[call][at]) for call in due])
        for call, score in zip(due, scores, strict=True):
            together[call].append(score)
    for one, other in zip(alone, together, strict=True):
        assert one == pytest.approx(other, abs=1)


def test_scores_are_thousandths() -> None:
    voice = windows(recording("human_1.ulaw"))
    scorer = SileroScorer()
    assert all(0 <= scorer.score(window) <= SURE for window in voice)


def test_a_window_of_another_length_is_refused() -> None:
    with pytest.raises(SpeechError, match="512 bytes at a time, not 320"):
        SileroScorer().score(bytes(320))


def test_without_numpy_silero_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(EngineMissing, match="numpy"):
        SileroScorer()
