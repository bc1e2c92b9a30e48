r"""Whether a voice is the caller's, by how loud it is: the caller speaks into the phone, others don't.

A detector of voices hears the colleagues and the television too, so behind them a turn never ends: it
was measured that three people talking, 20 dB below the caller, held 17 of 22 turns open. Two levels
are tracked, in dB of full scale, frame by frame:

    caller      ~~~~~~/\~~~~/\~~~~~      the loudest voice; sinks slowly when it is not heard
    threshold   ----------------------    18 dB below, or nearer when there are voices between words
    background  ______/‾‾\___________      the least loud moments of the last ten seconds

Rules this file keeps:
1. Only voices are judged; steady noise (a car, a fan) is the detector's own business.
2. The threshold comes nearer to the caller only when the least loud moments hold voices: then what
   talks there is not the caller, who pauses.
3. A caller who drops their voice is heard out: what lies under that nearer threshold still counts for
   300 ms after what lies above it. With the pause that ends a turn that makes a second.
4. Nobody is shut out for long: the caller's level sinks, so that a second person on the same phone,
   far less loud, is heard after a few seconds.
5. The answer depends on the frames alone. It costs about 3 us a frame.
"""

import math

FULL_SCALE = 32_768
LEAST_POWER = FULL_SCALE**-2  # of one step
LEAST_DB = 10 * math.log10(LEAST_POWER)
FASTEST = 0.5  # of the new frame's power in the smoothed one: syllables, not single clicks

SPAN_DB_MAX = 18  # a caller's own weak syllables lie within this
SPAN_DB_MIN = 5  # nearer than this a caller would be cut off between two loud words
SPAN_OF_GAP = 0.45  # of the way from the caller down to the background
CLEARANCE_DB = 3  # a caller is at least so much louder than voices behind them
LOUDER_DB = 9  # the caller's level never sinks nearer to the background than this
QUIET_CALLER_DB = -40  # before anybody spoke: so quiet callers are still understood

FRAMES_A_SECOND = 50
SINK_VOICE_DB = 1 / FRAMES_A_SECOND  # one shout is forgotten in ten seconds of talk
SINK_SILENT_DB = 0.3 / FRAMES_A_SECOND  # a minute of listening to us: 18 dB

DOUBTFUL_FRAMES = 15  # 300 ms: rule 3
BLOCK_FRAMES = 20  # 400 ms: longer than a syllable, as short as a pause for breath
BLOCKS_MIN = 8  # three seconds: the first words on a stream have no pause before them
BLOCKS_MAX = 25  # ten seconds: hardly anybody speaks so long without one pause
LOWEST_BLOCKS = 4  # one block may be chance
VOICED_MILLI = 100  # of the frames in those blocks: a pause has none


class Foreground:
    """One call's sense of who is near."""

    __slots__ = (
        "_background_db",
        "_block_frames",
        "_block_power",
        "_block_voiced",
        "_blocks",
        "_caller_db",
        "_doubtful_frames",
        "_has_voices_behind",
        "_least_db",
        "_power",
    )

    def __init__(self) -> None:
        self._power = 0.0
        self._caller_db = float(QUIET_CALLER_DB)
        self._background_db = -math.inf
        self._doubtful_frames = DOUBTFUL_FRAMES
        self._has_voices_behind = False
        self._blocks: list[tuple[float, int]] = []
        self._block_power = 0.0
        self._block_frames = 0
        self._block_voiced = 0
        self._least_db = float(QUIET_CALLER_DB)  # how far the caller's level may sink

    def is_near(self, level: int, *, is_voice: bool) -> bool:
        """Take the next 20 ms: their `level` as `audio.level` gives it, and whether they hold a voice.

        Returns whether they hold a voice that is as loud as the caller's.
        """
        share = level / FULL_SCALE
        power = share * share
        self._power += (power - self._power) * FASTEST
        self._block_power += power
        self._block_frames += 1
        if is_voice:
            self._block_voiced += 1
        if self._block_frames == BLOCK_FRAMES:
            self._learn_background()
        is_near, sink_db = False, SINK_SILENT_DB
        if is_voice:
            loud_db = _decibels(self._power)
            self._caller_db = max(self._caller_db, loud_db)
            is_near, sink_db = self._is_loud_enough(loud_db), SINK_VOICE_DB
        if self._caller_db != self._least_db:  # as deep as it goes it lies while nobody speaks
            self._caller_db = max(self._caller_db - sink_db, self._least_db)
        return is_near

    def _is_loud_enough(self, loud_db: float) -> bool:
        if self._is_beyond_doubt(loud_db):
            self._doubtful_frames = 0
            return True
        self._doubtful_frames += 1
        is_possible = loud_db >= self._caller_db - SPAN_DB_MAX
        return is_possible and self._doubtful_frames <= DOUBTFUL_FRAMES

    def _is_beyond_doubt(self, loud_db: float) -> bool:
        """Whether a voice reaches the threshold."""
        below_db = self._caller_db - loud_db
        if below_db > SPAN_DB_MAX:
            return False
        if not self._has_voices_behind:
            return True
        if loud_db < self._background_db + CLEARANCE_DB:
            return False
        gap_db = self._caller_db - self._background_db
        return below_db <= SPAN_DB_MIN or below_db <= gap_db * SPAN_OF_GAP

    def _learn_background(self) -> None:
        """Every 400 ms, look at the least loud of the blocks of the last ten seconds."""
        self._blocks.append((self._block_power / BLOCK_FRAMES, self._block_voiced))
        del self._blocks[:-BLOCKS_MAX]
        self._block_power, self._block_voiced, self._block_frames = 0.0, 0, 0
        lowest = sorted(self._blocks)[:LOWEST_BLOCKS]
        voiced = sum(count for _, count in lowest)
        self._background_db = _decibels(lowest[0][0])
        is_voiced = voiced * 1_000 >= VOICED_MILLI * BLOCK_FRAMES * len(lowest)
        self._has_voices_behind = is_voiced and len(self._blocks) >= BLOCKS_MIN
        louder_db = self._background_db + LOUDER_DB if self._has_voices_behind else QUIET_CALLER_DB
        self._least_db = max(float(QUIET_CALLER_DB), louder_db)


def _decibels(power: float) -> float:
    """Return the level of a power in dB of full scale; silence is as low as one step of 16 bits."""
    return 10 * math.log10(power) if power > LEAST_POWER else LEAST_DB
