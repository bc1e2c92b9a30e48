"""The caller's latest audio, until the model is known to have taken it in.

When a model's connection dies, what it had not taken in yet is told to the next one. While nobody
speaks only a moment is kept: a model notices speech a little after it began.
"""

from service.audio import samples

TAIL_MAX = samples(30_000)  # nobody speaks longer without a pause that ends an utterance
IDLE_MAX = samples(1_000)  # the padding before speech, the detection and the way there


class InputTail:
    """Audio by its place in the model's present session."""

    def __init__(self) -> None:
        self._audio = bytearray()
        self._first = 0

    def add(self, ulaw: bytes, *, is_idle: bool) -> None:
        """Take the next audio. `is_idle`: nobody speaks, and nothing said waits for an answer."""
        self._audio += ulaw
        self._drop(len(self._audio) - (IDLE_MAX if is_idle else TAIL_MAX))

    def forget(self) -> None:
        """No model is ever to hear what came until now."""
        self._drop(len(self._audio))

    def took(self, until: int) -> None:
        """The model has taken in all up to this sample of its session."""
        self._drop(until - self._first)

    def again(self) -> bytes:
        """A new session begins: return what it is to hear first."""
        self._first = 0
        return bytes(self._audio)

    def _drop(self, count: int) -> None:
        count = max(0, min(count, len(self._audio)))
        del self._audio[:count]
        self._first += count
