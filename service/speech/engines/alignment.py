"""Where in Hibari's audio each word ends: the model knows, and is made to tell.

    model + one output more ──> audio, and for each sound of the text the frame at which it ends
                                     └── by the blanks between the sounds: where the words end

The model places every sound of the text on frames before it makes audio of them, and the sum of those
lengths is a value inside it. A model file is a protobuf message, and what is appended to one is merged
into it (protobuf encoding, "Last One Wins"): a few bytes at its end name that value as an output.
"""

from collections.abc import Collection, Sequence
from itertools import accumulate

from service.audio import samples

FRAME = samples(25)
_VALUE = b"/CumSum_output_0"  # of the model in hibari-tts 0.2.1, which the [speech] extra pins
_NAME, _OUTPUT, _GRAPH = b"\x0a", b"\x62", b"\x3a"  # fields 1, 12 and 7, each with a length behind
_LENGTH_MAX = 128


def telling(model: bytes, value: bytes = _VALUE) -> bytes:
    """Return the model with one output more: at which frame each sound ends."""
    return model + _field(_GRAPH, _field(_OUTPUT, _field(_NAME, value)))


def _field(tag: bytes, content: bytes) -> bytes:
    assert len(content) < _LENGTH_MAX, "the length would take two bytes"
    return tag + bytes([len(content)]) + content


def words_in(phonemes: str) -> int:
    """Return how many words a line of phonemes has; punctuation alone is none."""
    return sum(any(map(str.isalpha, word)) for word in phonemes.split())


def word_frames(phonemes: str, known: Collection[str], frames: Sequence[int]) -> list[int]:
    """Return at which frame each word of a line of phonemes ends.

    `frames` has one number for the silence before, one for each sign that is `known`, and one for the
    silence behind.
    """
    found: list[int] = []
    at = end = 0
    for sign in f"{phonemes} ":
        at += sign in known
        if sign.isalpha():
            end = int(frames[at])
        elif sign == " " and end:
            found.append(end)
            end = 0
    return found


def lasts(counts: Sequence[int], ends: Sequence[int]) -> list[int]:
    """Return where each group of words ends, given how many words each has and where those end.

    A group without words ends with the one before. Raises ValueError when the numbers don't agree:
    then nobody knows which word is which.
    """
    if sum(counts) != len(ends):
        raise ValueError(f"{sum(counts)} words, and the ends of {len(ends)}")
    return [ends[told - 1] if told else 0 for told in accumulate(counts)]
