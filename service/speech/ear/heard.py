"""What is heard of a caller's speech: that it begins, pauses and ends."""

from typing import TypeAlias

import msgspec


class SpeechBegan(msgspec.Struct, frozen=True):
    """The caller speaks: `at_sample` is the start of the first voiced frame."""

    at_sample: int


class SpeechPaused(msgspec.Struct, frozen=True):
    """The caller has been silent for 300 ms: `audio` is the utterance so far. Once in every pause.

    When the caller says no more, `SpeechEnded` has the very same audio.
    """

    audio: bytes


class SpeechEnded(msgspec.Struct, frozen=True):
    """The caller's utterance is over, or was cut at its longest (`was_cut`).

    `audio` is mu-law, from `from_sample` up to but without `to_sample`. A restored half utterance
    stands in front of it and has no positions here, so `audio` may be longer than their difference.
    """

    audio: bytes
    from_sample: int
    to_sample: int
    was_cut: bool


Speech: TypeAlias = SpeechBegan | SpeechPaused | SpeechEnded
NOTHING: tuple[Speech, ...] = ()
