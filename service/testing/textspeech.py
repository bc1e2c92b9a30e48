"""Speech for tests that is fast, exact and needs no engine: audio with the words written into it.

    word  =  20 ms hardly a sound, then 20 ms of a loud tone that ends in the word itself:
             START, then two samples a byte (four bits each), then END

Loopback changes no sample, so what arrives is what was sent. A word counts when its last sample came:
what a drop, a `clear` or a barge-in cut off was not heard, exactly as with a voice. Each word knows its
place in its clause, so that a clause that was cut and is said again can be told from one said twice.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate
from zlib import crc32

import msgspec

from service.audio import FRAME_SAMPLES, milliseconds, samples
from service.speech.timing import Timed
from service.speech.transcript import NOTHING, Transcript

UTTERANCE_MS_MIN = 120  # an ear opens after 60 ms of voice, so that even "no" is heard
CONFIDENCE_MILLI = 950
CLAUSE_WORDS_MAX = 60_000  # two bytes count them

_START, _END, _TONE = b"\x20", b"\x21", b"\xa0"
_HUSH = (
    b"\xfe"  # the softest sound there is, but no silence: a speaker who was stopped goes on there
)
_LOW, _HIGH = 0x00, 0x80  # sixteen loud values of each sign: the tone is as loud as any voice
_NIBBLE = 0x0F
_SUM_MAX = 0xFFFF
_CHECK = struct.Struct(">H")
_HEAD = struct.Struct(">HHH")
_PACKET = re.compile(rb"\x20((?:[\x00-\x0f][\x80-\x8f])+)\x21")


class Word(msgspec.Struct, frozen=True):
    """One word as it lies in the audio: its text, its place in its clause, and which clause that is."""

    text: str
    index: int
    of: int
    clause: int


def spoken(text: str) -> Timed:
    """Return the text as mu-law, 40 ms a word; nothing for a text without words."""
    voiced = _voiced(text)
    missing = max(0, samples(UTTERANCE_MS_MIN) - sum(map(len, voiced))) if voiced else 0
    ends = tuple(accumulate(map(len, voiced), initial=missing))[1:]
    return Timed(_TONE * missing + b"".join(voiced), ends)


def lasts_ms(text: str) -> int:
    """Return how long the words last within a longer text."""
    return milliseconds(sum(map(len, _voiced(text))))


def words(ulaw: bytes) -> tuple[Word, ...]:
    """Return the words that lie whole in the audio, in order; what is no such speech is passed over."""
    return tuple(word for _, word in placed(ulaw))


def placed(ulaw: bytes) -> Iterator[tuple[int, Word]]:
    """Give the words that lie whole in the audio, each with the sample behind its last."""
    for packet in _PACKET.finditer(ulaw):
        word = _read(packet[1])
        if word is not None:
            yield packet.end(), word


def written(text: str) -> tuple[Word, ...]:
    """Return the words that the audio of this text, or clause, holds."""
    found = text.encode(errors="replace").decode().split()[:CLAUSE_WORDS_MAX]
    clause = _sum(" ".join(found).encode())
    return tuple(Word(word, index, len(found), clause) for index, word in enumerate(found))


def literal(heard: Iterable[Word]) -> str:
    """Return the words as they sounded, those said again included."""
    return " ".join(word.text for word in heard)


def smooth(heard: Iterable[Word]) -> str:
    """Return the words, those of a clause that was cut and said again only once.

    A clause said again after it was heard to its end, or after other words, stands there twice.
    """
    kept: list[Word] = []
    for word in heard:
        last = kept[-1] if kept else None
        is_again = (
            last is not None
            and last.clause == word.clause
            and last.index + 1 < last.of
            and word.index <= last.index
        )
        if not is_again:
            kept.append(word)
    return literal(kept)


class TextSynthesizer:
    """Speaks by writing. See synthesizer.Synthesizer."""

    name = "text"
    voice = "text"
    seed = 0

    def render(self, text: str) -> Timed:
        """See synthesizer.Synthesizer.render."""
        return spoken(text)


class TextRecognizer:
    """Understands by reading. See recognizer.Recognizer."""

    name = "text"

    def transcribe(self, ulaw: bytes) -> Transcript:
        """See recognizer.Recognizer.transcribe."""
        text = literal(words(ulaw))
        return Transcript(text, CONFIDENCE_MILLI) if text else NOTHING


def _voiced(text: str) -> list[bytes]:
    return [_tone(_packet(word)) for word in written(text)]


def _packet(word: Word) -> bytes:
    body = _HEAD.pack(word.clause, word.index, word.of) + word.text.encode()
    nibbles = bytearray()
    for byte in _CHECK.pack(_sum(body)) + body:
        nibbles += bytes((_LOW | byte >> 4, _HIGH | byte & _NIBBLE))
    return _START + bytes(nibbles) + _END


@lru_cache(maxsize=8_192)
def _read(nibbles: bytes) -> Word | None:
    """Return the word of a packet, None for sound that only looks like one."""
    pairs = zip(nibbles[::2], nibbles[1::2], strict=True)
    whole = bytes(low << 4 | high & _NIBBLE for low, high in pairs)
    check, body = whole[: _CHECK.size], whole[_CHECK.size :]
    if len(body) <= _HEAD.size or check != _CHECK.pack(_sum(body)):
        return None
    clause, index, of = _HEAD.unpack_from(body)
    return Word(body[_HEAD.size :].decode(), index, of, clause)


def _sum(octets: bytes) -> int:
    return crc32(octets) & _SUM_MAX


def _tone(packet: bytes) -> bytes:
    """Return a word's audio: whole frames, the packet at their end."""
    frames = -(-len(packet) // FRAME_SAMPLES)
    return _HUSH * FRAME_SAMPLES + packet.rjust(frames * FRAME_SAMPLES, _TONE)
