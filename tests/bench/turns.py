"""Whether the ear finds where callers begin and end, in noise of many kinds.

python -m tests.bench.turns          as the service listens
python -m tests.bench.turns plain    without the sense of who is near, for comparison

Every recorded caller speaks once in every noise, with three seconds of the noise before and after.
`stuck`: no end within 1.5 s of the true one; `missed`: not noticed, or 0.8 s late; `false`: opened by
the noise; `split`: cut in two. `hold` is how long after the first sound we would fall silent, `onset`
when speech is certain, `end` when the turn is over, after a patience of 600 ms: ms, p50 and p95.
`talkers` and `talker` are three readers, and one, behind the caller.
"""

import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.audio import FRAME_SAMPLES, SAMPLE_RATE_HZ, decode, encode, milliseconds, samples
from service.clock import Clock
from service.speech.ear.endpoint import Endpointer
from service.speech.ear.heard import SpeechBegan, SpeechEnded
from service.speech.ear.silero import SileroScorer
from service.speech.ear.vad import VoiceActivity, voice_activity
from tests.speech.recordings import Recording, of_kind, recording

Sound = NDArray[np.float64]

FULL_SCALE = 32_768
SPEECH_DB, QUIET_DB = -26, -40  # of full scale: where telephone speech lies, and a quiet caller
AROUND = samples(3_000)
NOISE_SECONDS = 20
STUCK_MS, MISSED_MS, EARLY_MS = 1_500, 800, 100


class Anybody:
    """Takes every voice for the caller's."""

    def is_near(self, _level: int, *, is_voice: bool) -> bool:
        return is_voice


class Condition(NamedTuple):
    """A noise, how far below the caller it lies, and how loud the caller is."""

    noise: str
    below_db: int
    speech_db: int = SPEECH_DB

    def title(self) -> str:
        """Return its name in the table."""
        quiet = " quiet" if self.speech_db == QUIET_DB else ""
        return f"{self.noise}{f' {self.below_db} dB' if self.below_db else ''}{quiet}"


class Turn(NamedTuple):
    """How one caller was followed; -1 stands for never."""

    hold_ms: int
    onset_ms: int
    end_ms: int
    false: int
    parts: int


def sound(ulaw: bytes) -> Sound:
    """Return mu-law as numbers between -1 and 1."""
    return np.frombuffer(decode(ulaw), dtype="<i2").astype(np.float64) / FULL_SCALE


def ulaw(line: Sound) -> bytes:
    """Return numbers as mu-law."""
    whole = np.clip(np.rint(line * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1)
    return encode(whole.astype("<i2").tobytes())


def loudness(line: Sound, duration_ms: int) -> Sound:
    """Return the level of every `duration_ms` of the sound."""
    size = samples(duration_ms)
    count = len(line) // size
    levels: Sound = np.sqrt((line[: count * size].reshape(count, size) ** 2).mean(axis=1))
    return levels


def at_speech_level(line: Sound) -> Sound:
    """Return the sound with its active parts at 0 dB."""
    levels = loudness(line, 20)
    active = levels[levels > levels.max() / 10]
    return line / float(np.sqrt((active**2).mean()))


def span(line: Sound) -> tuple[int, int]:
    """Return where a caller begins (20 dB below their loudest, and lasting) and ends (30 dB below)."""
    fine, coarse = loudness(line, 10), loudness(line, 20)
    is_loud = fine > fine.max() / 10
    lasting = np.convolve(is_loud, np.ones(4), "full")[3:] >= 3
    first = int(np.flatnonzero(is_loud & lasting)[0])
    last = int(np.flatnonzero(coarse > coarse.max() / 32)[-1])
    return first * samples(10), (last + 1) * FRAME_SAMPLES


def noises() -> dict[str, Sound]:
    """Return every noise at 0 dB."""
    chance = np.random.default_rng(3)
    count = NOISE_SECONDS * SAMPLE_RATE_HZ
    hertz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ)
    spectrum = np.fft.rfft(chance.standard_normal(count))
    rumble = spectrum / np.maximum(1, hertz / 60) / (1 + (60 / np.maximum(hertz, 1)) ** 2)
    reader = np.concatenate([at_speech_level(sound(one.ulaw)) for one in of_kind("human")])
    found = {
        "car": np.fft.irfft(rumble, count),
        "pink": sound(recording("noise_pink.ulaw")),
        "white": chance.standard_normal(count),
        "babble": sound(recording("noise_babble.ulaw")),
        "talkers": reader + np.roll(reader, 37_111) + np.roll(reader, 74_222),
        "talker": reader,
    }
    return {name: line / float(np.sqrt((line**2).mean())) for name, line in found.items()}


def on_the_line(spoken: Recording, condition: Condition, behind: dict[str, Sound]) -> bytes:
    """Return the caller in the noise, as the carrier would send it."""
    near = at_speech_level(sound(spoken.ulaw)) * 10 ** (condition.speech_db / 20)
    line = np.pad(near, AROUND)
    if condition.noise in behind:
        noise = np.roll(behind[condition.noise], -911 * sum(spoken.file.encode()))
        line += np.resize(noise, len(line)) * 10 ** (
            (condition.speech_db - condition.below_db) / 20
        )
    return ulaw(line)


def followed(line: bytes, voice: VoiceActivity[SileroScorer], first: int, last: int) -> Turn:
    """Have the endpointer follow one caller, who speaks from `first` to `last`."""
    ear = Endpointer(voice)
    spans: list[tuple[int, int]] = []
    began, hold = -1, -1
    for at in range(0, len(line), FRAME_SAMPLES):
        now = at + FRAME_SAMPLES
        for event in ear.feed(line[at:now]):
            if isinstance(event, SpeechBegan):
                began = now
            elif isinstance(event, SpeechEnded):
                spans.append((began, now))
                began = -1
        stirs = ear.is_stirring or ear.is_speaking
        if hold < 0 and stirs and now >= first - samples(EARLY_MS):
            hold = now
    if began >= 0:
        spans.append((began, len(line) + samples(STUCK_MS)))
    theirs = [one for one in spans if one[0] < last and one[1] > first]
    false = sum(not first - samples(EARLY_MS) <= one[0] <= last for one in spans)
    if not theirs:
        return Turn(-1, -1, -1, false, 0)
    return Turn(
        milliseconds(hold - first),
        milliseconds(theirs[0][0] - first),
        milliseconds(theirs[-1][1] - last),
        false,
        len(theirs),
    )


def turns(condition: Condition, behind: dict[str, Sound], *, is_plain: bool) -> Iterator[Turn]:
    """Follow every caller in one condition."""
    kinds = ("rendered",) if condition.noise.startswith("talker") else ("human", "rendered")
    for spoken in of_kind(*kinds):
        first, last = span(sound(spoken.ulaw))
        voice = voice_activity()
        if is_plain:
            voice._foreground = Anybody()  # type: ignore[assignment]
        line = on_the_line(spoken, condition, behind)
        yield followed(line, voice, first + AROUND, last + AROUND)


def spread(values: list[int]) -> str:
    """Return p50 and p95."""
    if not values:
        return f"{'-':>11}"
    ordered = sorted(values)
    return f"{ordered[len(ordered) // 2]:5}/{ordered[len(ordered) * 95 // 100]:5}"


def row(condition: Condition, found: list[Turn]) -> str:
    """Return one line of the table."""
    missed = [one for one in found if not one.parts or one.onset_ms > MISSED_MS]
    stuck = [one for one in found if one.end_ms > STUCK_MS]
    fine = [one for one in found if one not in missed and one not in stuck]
    in_time = [one for one in fine if one.onset_ms >= -EARLY_MS]
    counts = (
        len(fine),
        len(stuck),
        len(missed),
        sum(one.false for one in found),
        sum(one.parts > 1 for one in fine),
    )
    return (
        f"{condition.title():18}"
        + "".join(f"{count:7}" for count in counts)
        + f"  {spread([one.hold_ms for one in in_time])}"
        + f"  {spread([one.onset_ms for one in in_time])}"
        + f"  {spread([one.end_ms for one in fine])}"
    )


def cost_us(behind: dict[str, Sound], *, is_plain: bool) -> int:
    """Return what a second of a caller in a car costs, in microseconds of wall time."""
    (spoken,) = [one for one in of_kind("rendered") if one.file == "caller_sarah_long.ulaw"]
    line = on_the_line(spoken, Condition("car", 10), behind)
    voice, clock = voice_activity(), Clock()
    if is_plain:
        voice._foreground = Anybody()  # type: ignore[assignment]
    started_us = clock.now_us()
    for at in range(0, len(line), FRAME_SAMPLES):
        voice.feed(line[at : at + FRAME_SAMPLES])
    return (clock.now_us() - started_us) * SAMPLE_RATE_HZ // len(line)


def main() -> None:
    """Print the table."""
    is_plain = "plain" in sys.argv[1:]
    behind = noises()
    conditions = [Condition("clean", 0), Condition("clean", 0, QUIET_DB)]
    conditions += [Condition(noise, below_db) for noise in behind for below_db in (20, 10, 5)]
    conditions += [Condition("car", 10, QUIET_DB), Condition("babble", 20, QUIET_DB)]
    heads = "".join(f"{head:>7}" for head in ("ok", "stuck", "missed", "false", "split"))
    sys.stdout.write(f"{'':18}{heads}  {'hold':>11}  {'onset':>11}  {'end':>11}\n")
    for condition in conditions:
        found = list(turns(condition, behind, is_plain=is_plain))
        sys.stdout.write(f"{row(condition, found)}\n")
        sys.stdout.flush()
    sys.stdout.write(f"a second of a caller in a car: {cost_us(behind, is_plain=is_plain)} us\n")


if __name__ == "__main__":
    main()
