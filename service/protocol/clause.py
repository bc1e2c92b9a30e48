"""One clause on its way to the caller, and where to go on when he stopped it in its midst.

begin            begin+part(heard)                    end
  |--heard------------|--not heard, sent again----------|
                 |----| said twice, from a quiet place on
"""

from typing import Self

import msgspec
from msgspec.structs import replace

from service.audio import decode, loudness, samples

BACK_MAX = samples(300)  # repeated after a hold: a word at most, or it sounds like a stutter
BACK_STEP = samples(10)  # how closely a quiet place to go on from is looked for
SAMPLE_BYTES = 2  # of PCM


class Clause(msgspec.Struct, frozen=True):
    """A clause's audio: where it begins on the stream, and in its prompt.

    Of one that was taken back, `sure` samples were heard for certain, `known` by the clock, and `reached`
    probably; `begin` is then where it would have begun if all of it went out again.
    """

    prompt: str
    clause: int
    audio: bytes
    begin: int
    offset: int
    sure: int = 0
    known: int = 0
    reached: int = 0

    @property
    def end(self) -> int:
        """Where on the stream it ends."""
        return self.begin + len(self.audio)

    def part(self, position: int) -> int:
        """Return how much of it lies before a position of the stream, or was heard before."""
        return max(self.known, min(position - self.begin, len(self.audio)))

    def reach(self, position: int) -> int:
        """Return how much of it probably was heard when a position of the stream probably was."""
        return max(self.reached, self.part(position))

    def again(self, at: int, sure: int, heard: int, reached: int) -> Self:
        """Return it as what is left of it goes out from `at`, when the stream was heard so far."""
        certain = max(self.sure, min(sure - self.begin, len(self.audio)))
        begin = at - quiet_place(self.audio, certain)
        return replace(
            self, begin=begin, sure=certain, known=self.part(heard), reached=self.reach(reached)
        )


def quiet_place(audio: bytes, heard: int) -> int:
    """Return where to go on so that it sounds whole: the quietest place, BACK_MAX before at most."""
    first = max(0, heard - BACK_MAX)
    pcm = decode(audio[first : heard + BACK_STEP])

    def loud(place: int) -> int:
        begin = (place - first) * SAMPLE_BYTES
        return loudness(pcm[begin : begin + BACK_STEP * SAMPLE_BYTES])

    return min(range(heard, first - 1, -BACK_STEP), key=loud)
