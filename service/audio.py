"""Telephone audio: G.711 mu-law at 8,000 samples a second, one byte a sample.

Eight samples are one millisecond, everywhere and always, so positions are whole numbers:
samples are the unit of every pointer, milliseconds only of what people read.
"""

import audioop

SAMPLE_RATE_HZ = 8_000
SAMPLES_PER_MS = 8
FRAME_SAMPLES = 160  # 20 ms: the frame that carriers send, though no page of theirs promises it
SILENCE = b"\xff"  # mu-law zero


def milliseconds(samples: int) -> int:
    """Return whole milliseconds, rounded down: never claim more than what was there."""
    return samples // SAMPLES_PER_MS


def samples(duration_ms: int) -> int:
    """Return how many samples last `duration_ms`."""
    return duration_ms * SAMPLES_PER_MS


def silence(count: int) -> bytes:
    """Return `count` samples of mu-law silence."""
    return SILENCE * count


def decode(ulaw: bytes) -> bytes:
    """Turn mu-law into signed 16-bit little-endian PCM."""
    return audioop.ulaw2lin(ulaw, 2)


def encode(pcm: bytes) -> bytes:
    """Turn signed 16-bit little-endian PCM into mu-law."""
    return audioop.lin2ulaw(pcm, 2)


def level(ulaw: bytes) -> int:
    """Return the root mean square of the audio as a 16-bit amplitude, 0 to 32767; 0 when empty."""
    return loudness(decode(ulaw))


def loudness(pcm: bytes) -> int:
    """Return the root mean square of PCM as `decode` gives it, 0 to 32767; 0 when empty."""
    return audioop.rms(pcm, 2)
