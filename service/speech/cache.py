"""Audio that was rendered before: most of what a support agent says, it says in every call.

Bounded by bytes, because audio is what it holds; the least recently used goes first. The key names
everything that the audio depends on, so changing a voice never plays the old one.
"""

from collections import OrderedDict
from typing import NamedTuple

from service.errors import SpeechError

CACHE_BYTES = 16 * 1024 * 1024  # half an hour of speech: every fixed prompt many times over


class Said(NamedTuple):
    """What rendered audio depends on."""

    engine: str
    voice: str
    seed: int
    text: str


class SpeechCache:
    """Rendered audio, at most `limit_bytes` of it. For one thread: the event loop's."""

    def __init__(self, limit_bytes: int = CACHE_BYTES) -> None:
        if limit_bytes < 0:
            raise SpeechError(f"A cache of {limit_bytes} bytes can't be made.")
        self._limit = limit_bytes
        self._audio: OrderedDict[Said, bytes] = OrderedDict()
        self._size = 0
        self.hits = 0
        self.misses = 0

    @property
    def size_bytes(self) -> int:
        """How much it holds: the audio, and the text that it is found by."""
        return self._size

    def __len__(self) -> int:
        return len(self._audio)

    def get(self, said: Said) -> bytes | None:
        """Return the audio, and count it as used just now; None when it is not here."""
        audio = self._audio.get(said)
        if audio is None:
            self.misses += 1
            return None
        self._audio.move_to_end(said)
        self.hits += 1
        return audio

    def put(self, said: Said, audio: bytes) -> None:
        """Keep the audio; drop what was not used for longest. Audio beyond the whole limit is not kept."""
        self._drop(said)
        size = _size(said, audio)
        if size > self._limit:
            return
        while self._size + size > self._limit:
            self._drop(next(iter(self._audio)))
        self._audio[said] = audio
        self._size += size

    def _drop(self, said: Said) -> None:
        audio = self._audio.pop(said, None)
        if audio is not None:
            self._size -= _size(said, audio)


def _size(said: Said, audio: bytes) -> int:
    return len(audio) + 4 * len(said.text)  # four bytes a character is the most that Python takes
