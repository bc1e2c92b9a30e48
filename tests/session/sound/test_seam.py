"""The seams of the caller's audio, cut at random places; figures are in the README."""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from service.audio import FRAME_SAMPLES, milliseconds, samples, silence
from service.session.sound.seam import AWAY_MS, JOIN_MS_MAX, TAIL, Seam
from service.session.sound.source import Source

NOW_MS = 1_700_000_000_000
WORD = random.Random(0).randbytes(samples(8_000))


@dataclass
class Listening:
    """A listener that keeps what it is told."""

    audio: bytearray = field(default_factory=bytearray)
    told: list[str] = field(default_factory=list)

    def attach(self) -> None:
        self.told.append("attach")

    def go_on(self) -> None:
        self.told.append("go_on")

    def hear(self, ulaw: bytes) -> None:
        self.audio += ulaw

    def detach(self) -> None:
        self.told.append("detach")


@dataclass
class Wire:
    """One stream of the spoken audio: it has its own beginning, its own frames and its own delays."""

    begin: int
    end: int
    chance: random.Random
    spoken: bytes = WORD
    delay_ms: int = 40
    jitter_ms: int = 0
    bursts: int = 0

    def frames(self) -> list[tuple[int, bytes]]:
        """Return when each frame arrives, in ms, and what it carries."""
        arrived, at_ms = [], 0
        for at in range(self.begin, self.end - FRAME_SAMPLES + 1, FRAME_SAMPLES):
            late_ms = self.delay_ms + self.chance.randint(0, self.jitter_ms)
            if self.bursts and self.chance.randrange(100) < self.bursts:
                late_ms += self.chance.randint(50, 233)
            at_ms = max(at_ms, milliseconds(at + FRAME_SAMPLES) + late_ms)
            arrived.append((at_ms, self.spoken[at : at + FRAME_SAMPLES]))
        return arrived


def heard_of(
    first: Wire, fork: Wire, then: Wire, *, notice_ms: int = 0
) -> tuple[Listening, list[int]]:
    """Let a fork run beside two streams; return what was heard, and what of the gap was bridged."""
    listening, bridged = Listening(), []
    seam, source = Seam(listening), Source()
    cut_ms, back_ms = milliseconds(first.end) + notice_ms, milliseconds(then.begin)
    moments: list[tuple[int, int, str, bytes]] = [
        (0, 0, "attach", b""),
        (0, 1, "join", b""),
        (cut_ms, 5, "detach", b""),
        (max(back_ms, cut_ms), 6, "back", b""),
        *((at_ms, 2, "fork", ulaw) for at_ms, ulaw in fork.frames()),
        *((at_ms, 3, "main", ulaw) for at_ms, ulaw in first.frames() if at_ms <= cut_ms),
        *((max(at_ms, cut_ms), 7, "main", ulaw) for at_ms, ulaw in then.frames()),
    ]
    for at_ms, _, what, ulaw in sorted(moments, key=lambda one: one[:2]):
        now_ms = NOW_MS + at_ms
        match what:
            case "attach":
                seam.attach()
            case "back":
                bridged.append(seam.bridged_ms)
                seam.attach()
            case "join":
                seam.join(source)
            case "fork":
                source.add(ulaw, now_ms * 8)
                seam.overhear(source, now_ms)
            case "main":
                seam.hear(ulaw, now_ms)
            case _:
                seam.detach(now_ms)
    return listening, bridged


def cut_somewhere(seed: int, **wire: Any) -> tuple[Listening, list[int], int, int]:
    chance = random.Random(seed)
    cut = chance.randrange(samples(2_000), samples(4_000), 8)
    gap = chance.randrange(samples(100), samples(2_000), 8)
    first = Wire(0, cut, chance, **wire)
    fork = Wire(chance.randrange(0, samples(1_000), 8), len(WORD), chance, **wire)
    then = Wire(cut + gap, len(WORD), chance, **wire)
    return *heard_of(first, fork, then), cut, gap


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"jitter_ms": 30},
        {"jitter_ms": 30, "bursts": 5},
        {"delay_ms": 150, "jitter_ms": 100, "bursts": 10},
    ],
    ids=["even", "jitter", "bursts", "bad"],
)
def test_not_a_sample_is_lost_or_doubled_over_a_gap(wire: dict[str, int]) -> None:
    for seed in range(200):
        listening, bridged, _, gap = cut_somewhere(seed, **wire)
        heard = bytes(listening.audio)
        assert WORD.startswith(heard), f"seed {seed}: {len(heard)} heard"
        assert len(WORD) - len(heard) < samples(60), f"seed {seed}"
        assert listening.told == ["attach", "go_on"], f"seed {seed}"
        late_ms = 20 + wire.get("delay_ms", 40) + wire.get("jitter_ms", 0) + 233
        assert 0 <= bridged[0] <= milliseconds(gap) + late_ms, f"seed {seed}"


def test_a_fork_that_is_behind_or_ahead_of_the_stream_is_joined_as_exactly() -> None:
    for seed in range(50):
        for ahead, behind in ((0, 200), (200, 0)):
            chance = random.Random(seed)
            cut = chance.randrange(samples(2_000), samples(3_000), 8)
            back = cut + samples(900)
            listening, _ = heard_of(
                Wire(0, cut, chance, delay_ms=ahead),
                Wire(400, len(WORD), chance, delay_ms=behind),
                Wire(back, len(WORD), chance, delay_ms=ahead),
                notice_ms=ahead,
            )
            assert WORD.startswith(bytes(listening.audio)), f"seed {seed} {ahead} {behind}"


def test_a_stream_that_dies_without_a_word_is_noticed_by_its_silence() -> None:
    for seed in range(50):
        chance = random.Random(seed)
        cut = chance.randrange(samples(2_000), samples(3_000), 8)
        listening, bridged = heard_of(
            Wire(0, cut, chance),
            Wire(800, len(WORD), chance),
            Wire(cut + samples(3_500), len(WORD), chance),
            notice_ms=3_000,
        )
        assert WORD.startswith(bytes(listening.audio)), f"seed {seed}"
        assert bridged[0] >= 3_400


def test_other_bytes_for_the_same_sound_are_joined_by_the_clock() -> None:
    worst = 0
    for seed in range(200):
        chance = random.Random(seed)
        cut = chance.randrange(samples(2_000), samples(4_000), 8)
        back = cut + samples(900)
        other = bytes(byte ^ 1 for byte in WORD)
        listening, _ = heard_of(
            Wire(0, cut, chance, jitter_ms=20),
            Wire(400, len(WORD), chance, spoken=other, jitter_ms=20),
            Wire(back, len(WORD), chance, jitter_ms=20),
        )
        worst = max(worst, abs(len(WORD) - len(listening.audio)))
    assert milliseconds(worst) <= 20 + 40, "both seams together"


def test_without_a_fork_a_stream_is_detached_and_the_next_one_attached() -> None:
    listening = Listening()
    seam = Seam(listening)
    seam.hear(b"nobody", NOW_MS)
    seam.attach()
    seam.hear(WORD[:160], NOW_MS)
    seam.detach(NOW_MS)
    seam.hear(WORD[160:320], NOW_MS)
    seam.attach()
    seam.hear(WORD[320:480], NOW_MS)
    assert listening.told == ["attach", "detach", "attach"]
    assert bytes(listening.audio) == WORD[:160] + WORD[320:480]
    assert seam.bridged_ms == 0


class Bridged:
    """A seam in a gap, and what it hears of a fork."""

    def __init__(self) -> None:
        self.listening = Listening()
        self.seam = Seam(self.listening)
        self.now_ms = NOW_MS
        self.at = 0
        self.fork = Source()
        self.seam.attach()
        self.seam.join(self.fork)
        for _ in range(20):
            self.both()

    def both(self) -> None:
        ulaw = self.next()
        self.seam.hear(ulaw, self.now_ms)
        self.overhear(self.fork, ulaw)

    def next(self) -> bytes:
        self.now_ms += 20
        self.at += FRAME_SAMPLES
        return WORD[self.at - FRAME_SAMPLES : self.at]

    def overhear(self, fork: Source, ulaw: bytes) -> None:
        fork.add(ulaw, self.now_ms * 8)
        self.seam.overhear(fork, self.now_ms)


def test_a_fork_that_dies_in_the_gap_ends_what_is_heard() -> None:
    bridged = Bridged()
    bridged.seam.detach(bridged.now_ms)
    bridged.overhear(bridged.fork, bridged.next())
    bridged.seam.part(bridged.fork, bridged.now_ms)
    assert bridged.listening.told == ["attach", "detach"]
    assert bridged.seam.bridged_ms == 20
    assert bridged.seam.heard_ms(700, bridged.now_ms) == 20
    bridged.seam.attach()
    bridged.seam.hear(bridged.next(), bridged.now_ms)
    assert bridged.listening.told == ["attach", "detach", "attach"]


def test_a_fork_that_dies_beside_a_stream_changes_nothing() -> None:
    bridged = Bridged()
    bridged.seam.part(bridged.fork, bridged.now_ms)
    for _ in range(5):
        bridged.seam.hear(bridged.next(), bridged.now_ms)
    assert bridged.listening.told == ["attach"]
    assert bytes(bridged.listening.audio) == WORD[: bridged.at]


def test_the_next_fork_goes_on_where_the_one_before_stopped() -> None:
    bridged = Bridged()
    bridged.seam.detach(bridged.now_ms)
    bridged.overhear(bridged.fork, bridged.next())
    later = Source()
    bridged.seam.join(later)
    for _ in range(10):
        ulaw = bridged.next()
        bridged.overhear(bridged.fork, ulaw)
        bridged.overhear(later, ulaw)
    bridged.seam.part(bridged.fork, bridged.now_ms)
    for _ in range(10):
        bridged.overhear(later, bridged.next())
    assert bridged.listening.told == ["attach"]
    assert bytes(bridged.listening.audio) == WORD[: bridged.at]


def test_a_fork_that_joins_late_and_brings_nothing_holds_nobody_up() -> None:
    bridged = Bridged()
    bridged.seam.part(bridged.fork, bridged.now_ms)
    mute = Source()
    bridged.seam.join(mute)
    bridged.seam.detach(bridged.now_ms)
    assert bridged.listening.told == ["attach"]
    bridged.seam.attach()
    at = bridged.at
    for _ in range(JOIN_MS_MAX // 20 + 5):
        bridged.seam.hear(bridged.next(), bridged.now_ms)
    assert bytes(bridged.listening.audio) == WORD[: bridged.at]
    assert bridged.at - at > samples(JOIN_MS_MAX)
    bridged.seam.part(mute, bridged.now_ms)
    assert bridged.listening.told == ["attach", "go_on"]


def test_a_fork_that_goes_before_it_was_heard_ends_what_is_heard() -> None:
    bridged = Bridged()
    bridged.seam.part(bridged.fork, bridged.now_ms)
    mute = Source()
    bridged.seam.join(mute)
    bridged.seam.detach(bridged.now_ms)
    bridged.seam.part(mute, bridged.now_ms)
    assert bridged.listening.told == ["attach", "detach"]


def test_a_stall_is_heard_from_the_fork_and_not_again_from_its_burst() -> None:
    bridged = Bridged()
    late = []
    for _ in range(60):
        ulaw = bridged.next()
        late.append(ulaw)
        bridged.overhear(bridged.fork, ulaw)
    assert bridged.seam.bridged_ms >= 60 * 20 - 40
    for ulaw in late:
        bridged.seam.hear(ulaw, bridged.now_ms)
    for _ in range(10):
        bridged.both()
    assert bytes(bridged.listening.audio) == WORD[: bridged.at]
    assert bridged.seam.bridged_ms == 0
    assert bridged.listening.told == ["attach"]


def test_a_stall_shorter_than_a_burst_changes_nothing() -> None:
    bridged = Bridged()
    late = [bridged.next() for _ in range(AWAY_MS // 20 - 1)]
    for ulaw in late:
        bridged.overhear(bridged.fork, ulaw)
        bridged.now_ms = bridged.now_ms
    for ulaw in late:
        bridged.seam.hear(ulaw, bridged.now_ms)
    assert len(bridged.listening.audio) == bridged.at


def test_what_is_on_its_way_by_a_fork_counts_as_heard_and_a_hole_does_not() -> None:
    bridged = Bridged()
    bridged.seam.detach(bridged.now_ms)
    bridged.overhear(bridged.fork, bridged.next())
    assert bridged.seam.heard_ms(300, bridged.now_ms + 280) == 300
    assert bridged.seam.heard_ms(500, bridged.now_ms + 480) == 20, "it has fallen silent"
    later = Source()
    bridged.seam.join(later)
    bridged.seam.part(bridged.fork, bridged.now_ms)
    for _ in range(10):
        bridged.next()
    for _ in range(JOIN_MS_MAX // 20 + 5):
        bridged.overhear(later, bridged.next())
    assert 700 - 200 - 20 <= bridged.seam.heard_ms(700, bridged.now_ms) <= 700 - 200 + 20


def test_silence_on_both_sides_of_a_seam_costs_no_time() -> None:
    quiet = silence(len(WORD))
    chance = random.Random(5)
    listening, _ = heard_of(
        Wire(0, samples(2_000), chance, spoken=quiet, jitter_ms=20),
        Wire(800, len(WORD), chance, spoken=quiet, jitter_ms=20),
        Wire(samples(3_000), len(WORD), chance, spoken=quiet, jitter_ms=20),
    )
    assert abs(len(listening.audio) - len(WORD)) <= samples(60)


def test_what_is_heard_at_first_is_too_short_to_be_found_again() -> None:
    listening = Listening()
    seam, fork = Seam(listening), Source()
    seam.attach()
    seam.join(fork)
    seam.hear(WORD[: TAIL // 2], NOW_MS + 20)
    seam.detach(NOW_MS + 20)
    for number in range(30):
        fork.add(WORD[number * 160 : number * 160 + 160], (NOW_MS + 20 + 20 * number) * 8)
        seam.overhear(fork, NOW_MS + 20 + 20 * number)
    assert abs(len(listening.audio) - 30 * 160) <= samples(20)
