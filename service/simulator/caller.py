"""The caller: a mouth that speaks whether or not a stream carries it, and an ear.

`Mouth` is addressed by time, so words spoken into a gap are lost, as on a real line, and a stall is made
up by asking for the missed time. `Ear` follows what is heard, frame by frame, and finds where the
agent's stretches of speech begin and end.
"""

import msgspec

from service.audio import FRAME_SAMPLES, SAMPLES_PER_MS, level, milliseconds, samples, silence

LEVEL_MIN = 250  # of 32,767; line noise stays under it, quiet speech does not
PAUSE_MS = 400  # a shorter silence is a breath within one stretch of speech
UTTERANCES_MAX = 10_000  # a caller who says more has run away


class Utterance(msgspec.Struct, frozen=True):
    """What the caller says, and when."""

    start_ms: int
    ulaw: bytes

    @property
    def end_ms(self) -> int:
        """Return when its last sample is spoken."""
        return self.start_ms + milliseconds(len(self.ulaw) + SAMPLES_PER_MS - 1)


class Mouth:
    """All that the caller says in one call, by time."""

    def __init__(self) -> None:
        self.utterances: list[Utterance] = []

    def say(self, ulaw: bytes, now_ms: int) -> Utterance:
        """Say it now, or as soon as the words before it are spoken."""
        assert len(self.utterances) < UTTERANCES_MAX, "this caller never stops"
        utterance = Utterance(max(now_ms, self.silent_from_ms()), ulaw)
        self.utterances.append(utterance)
        return utterance

    def hush(self, now_ms: int) -> None:
        """Stop speaking."""
        kept = []
        for utterance in self.utterances:
            if utterance.end_ms <= now_ms:
                kept.append(utterance)
            elif utterance.start_ms < now_ms:
                spoken = utterance.ulaw[: samples(now_ms - utterance.start_ms)]
                kept.append(Utterance(utterance.start_ms, spoken))
        self.utterances = kept

    def silent_from_ms(self) -> int:
        """Return when the last word is spoken; 0 when none was."""
        return self.utterances[-1].end_ms if self.utterances else 0

    def audio(self, from_ms: int, count: int = FRAME_SAMPLES) -> bytes:
        """Return `count` samples from a moment on, silence where nothing is said."""
        frame = bytearray(silence(count))
        for utterance in reversed(self.utterances):
            if utterance.end_ms <= from_ms:
                break
            offset = samples(from_ms - utterance.start_ms)
            part = utterance.ulaw[max(offset, 0) : max(offset + count, 0)]
            begin = max(-offset, 0)
            if part and begin < count:
                frame[begin : begin + len(part)] = part
        return bytes(frame)


class Stretch(msgspec.Struct):
    """One stretch of the agent's speech; `end_ms` is 0 while it lasts."""

    start_ms: int
    end_ms: int = 0


class Ear:
    """What the caller makes of what is heard."""

    def __init__(self) -> None:
        self.stretches: list[Stretch] = []
        self._loud_until_ms = 0

    def hear(self, ulaw: bytes, at_ms: int) -> Stretch | None:
        """Take the next audio, heard at `at_ms`; returns the stretch that began or ended by it."""
        if level(ulaw) >= LEVEL_MIN:
            self._loud_until_ms = at_ms + milliseconds(len(ulaw))
            if self.is_spoken_to():
                return None
            self.stretches.append(Stretch(at_ms))
            return self.stretches[-1]
        return self.rest(at_ms)

    def rest(self, now_ms: int) -> Stretch | None:
        """Hear nothing until now; returns the stretch that ended by it."""
        if not self.is_spoken_to() or now_ms - self._loud_until_ms < PAUSE_MS:
            return None
        self.stretches[-1].end_ms = self._loud_until_ms
        return self.stretches[-1]

    def is_spoken_to(self) -> bool:
        """Say whether the agent is speaking; a breath is part of it."""
        return bool(self.stretches) and not self.stretches[-1].end_ms

    def quiet_ms(self, now_ms: int) -> int:
        """Return for how long the agent has been silent, at most since the epoch."""
        return max(0, now_ms - self._loud_until_ms)
