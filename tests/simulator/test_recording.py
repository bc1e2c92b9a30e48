import struct
import wave
from pathlib import Path

import pytest

from service.audio import encode, silence
from service.simulator import recording
from tests.simulator.talker import tone


def test_gaps_are_silence_and_a_second_stays_a_second() -> None:
    pieces = [(1_000, b"\x01" * 80), (1_030, b"\x02" * 80)]
    wanted = b"\x01" * 80 + silence(160) + b"\x02" * 80 + silence(80)
    assert recording.joined(pieces, from_ms=1_000, until_ms=1_050) == wanted


def test_what_lies_outside_is_cut() -> None:
    pieces = [(990, b"\x01" * 160), (1_010, b"\x02" * 800)]
    joined = recording.joined(pieces, from_ms=1_000, until_ms=1_020)
    assert joined == b"\x01" * 80 + b"\x02" * 80
    assert recording.joined(pieces, from_ms=2_000, until_ms=1_000) == b""


def test_a_wav_file_comes_back_as_it_was(tmp_path: Path) -> None:
    ulaw = tone(25) + b"\x00"
    path = tmp_path / "heard.wav"
    path.write_bytes(recording.wav(ulaw))
    assert recording.read(path) == ulaw
    assert struct.unpack_from("<I", path.read_bytes(), 4)[0] == path.stat().st_size - 8


def test_a_wav_of_16_bit_samples_is_turned_into_mu_law(tmp_path: Path) -> None:
    path = tmp_path / "said.wav"
    pcm = struct.pack("<4h", 0, 1_000, -1_000, 32_000)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(pcm)
    assert recording.read(path) == encode(pcm)


def test_raw_mu_law_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "said.ulaw"
    path.write_bytes(tone(20))
    assert recording.read(path) == tone(20)
    assert recording.duration_ms(recording.read(path)) == 20


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "no audio"),
        (b"RIFF\x00\x00\x00\x00WAVE", "no WAV file"),
        (recording.wav(b"\x01" * 8).replace(b"\x40\x1f\x00\x00", b"\x80\x3e\x00\x00"), "8,000 Hz"),
    ],
)
def test_what_is_no_audio_is_one_clear_sentence(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "said.wav"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=complaint):
        recording.read(path)


def test_a_file_that_is_not_there_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="can't be read: No such file"):
        recording.read(tmp_path / "nothing.ulaw")
