"""What the caller heard, as one piece of audio; and audio files in and out.

Files are raw mu-law (`.ulaw`, `.raw`, `.ul`), or WAV holding mu-law or 16-bit PCM, one channel at 8,000 Hz.
Gaps between what was heard are silence, so a second of the file is a second of the call.
"""

import struct
from collections.abc import Iterable
from pathlib import Path

from service.audio import SAMPLE_RATE_HZ, encode, milliseconds, samples, silence

FILE_BYTES_MAX = 64_000_000  # an hour of 16-bit audio
RECORDING_MS_MAX = 7_200_000  # two hours; a clock that jumped must not eat the memory
PCM, ULAW = 1, 7  # the WAV format tags


def joined(pieces: Iterable[tuple[int, bytes]], *, from_ms: int, until_ms: int) -> bytes:
    """Lay pieces of mu-law (start, audio) over silence, from one moment until another."""
    length_ms = min(max(0, until_ms - from_ms), RECORDING_MS_MAX)
    recording = bytearray(silence(samples(length_ms)))
    for start_ms, ulaw in pieces:
        offset = samples(start_ms - from_ms)
        part = ulaw[max(0, -offset) :][: max(0, len(recording) - max(0, offset))]
        begin = max(0, offset)
        recording[begin : begin + len(part)] = part
    return bytes(recording)


def wav(ulaw: bytes) -> bytes:
    """Return a WAV file with this mu-law audio."""
    form = struct.pack("<HHIIHHH", ULAW, 1, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ, 1, 8, 0)
    fact = struct.pack("<I", len(ulaw))
    padding = b"\x00" * (len(ulaw) % 2)
    chunks = b"".join(
        name + struct.pack("<I", len(body)) + body
        for name, body in ((b"fmt ", form), (b"fact", fact))
    )
    chunks += b"data" + struct.pack("<I", len(ulaw)) + ulaw + padding
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def read(path: Path) -> bytes:
    """Read an audio file as mu-law; raises ValueError with one clear sentence."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise ValueError(f"{path} is longer than an hour")
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror or error}") from error
    audio = _from_wav(content, path) if content[:4] == b"RIFF" else content
    if not audio:
        raise ValueError(f"{path} holds no audio")
    return audio


def duration_ms(ulaw: bytes) -> int:
    """Return how long it lasts."""
    return milliseconds(len(ulaw))


def _from_wav(content: bytes, path: Path) -> bytes:
    chunks = _chunks(content)
    form, audio = chunks.get(b"fmt ", b""), chunks.get(b"data", b"")
    if len(form) < 16:  # noqa: PLR2004  the shortest format chunk of the WAV format
        raise ValueError(f"{path} is no WAV file that can be read")
    tag, channels, rate, _, _, bits = struct.unpack("<HHIIHH", form[:16])
    if (channels, rate) != (1, SAMPLE_RATE_HZ) or (tag, bits) not in {(PCM, 16), (ULAW, 8)}:
        raise ValueError(f"{path} is not 8,000 Hz, one channel, mu-law or 16-bit PCM")
    return encode(audio[: len(audio) // 2 * 2]) if tag == PCM else audio


def _chunks(content: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    place = 12
    while place + 8 <= len(content):
        name, length = content[place : place + 4], struct.unpack_from("<I", content, place + 4)[0]
        found.setdefault(name, content[place + 8 : place + 8 + length])
        place += 8 + length + length % 2
    return found
