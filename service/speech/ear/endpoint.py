"""Where the caller's utterances begin and end. Sans-I/O: time is the audio that was fed.

          voice 3 of the last 5 frames               silence for `patience_ms`, or 15 s of audio
    quiet ------------------------------> speaking ------------------------------------------> quiet
      |        SpeechBegan                   |                    SpeechEnded
      | (stirring: voice in 2 of 5)          | SpeechPaused at 300 ms of every silence
      <-------------- take() ----------------   the stream dropped: the half utterance is kept
      --------------- restore() ------------>   the stream is back: it goes on where it was

Rules this file keeps:
1. Positions are samples of audio fed to this instance. Late or early packets change nothing.
2. An utterance starts 300 ms before its first voiced frame, because soft consonants come before what
   a detector notices, and ends 300 ms after its last: what a pause gave to recognise is then, to the
   sample, what the end gives when nothing follows.
3. A cut at 15 s loses nothing: the next utterance begins at the very sample where this one was cut.
4. Memory is bounded by one utterance of 15 s and the pre-roll, 125 kB.
"""

from collections.abc import Callable

from service.audio import FRAME_SAMPLES, milliseconds, samples
from service.errors import SpeechError
from service.speech.ear.heard import NOTHING, Speech, SpeechBegan, SpeechEnded, SpeechPaused
from service.speech.ear.voice import Voice

PATIENCE_MS = 600  # measured: ends no turn early in 160 of 160 utterances
PATIENCE_MS_MIN = 100  # below this every stop consonant would end the turn
PATIENCE_MS_MAX = 5_000  # above this the caller thinks that the line is dead

OPEN_FRAMES = 3  # 60 ms of voice: a click or a breath is shorter
OPEN_WINDOW_FRAMES = 5
OPEN_WINDOW = (1 << OPEN_WINDOW_FRAMES) - 1  # as bits, the latest frame's the lowest
STIR_FRAMES = 2  # enough to fall silent ourselves: that is taken back when nothing follows
STIR_FRAMES_MAX = 10  # 200 ms: what has not become speech by then was a click or a cough
PRE_ROLL = samples(300)
PAUSE = samples(300)  # longer than the stops inside words, half of the patience
TAIL = PAUSE  # rule 2
QUIET = PRE_ROLL + OPEN_WINDOW_FRAMES * FRAME_SAMPLES  # kept while nobody speaks
QUIET_MAX = QUIET + 5 * FRAME_SAMPLES  # so that it is not cut back with each frame
# Babble never falls silent, and the recogniser's cost grows with length.
UTTERANCE_MAX = samples(15_000)


class Endpointer:
    """Turns one stream's audio into utterances. One instance a stream.

    `haste` divides whatever patience it is told, down to PATIENCE_MS_MIN.
    """

    __slots__ = (
        "_at",
        "_audio",
        "_began",
        "_haste",
        "_partial",
        "_patience",
        "_paused_after",
        "_recent",
        "_restored",
        "_stirring_frames",
        "_voice",
        "_voiced_to",
        "is_speaking",
        "is_stirring",
    )

    def __init__(self, voice: Voice, patience_ms: int = PATIENCE_MS, *, haste: int = 1) -> None:
        self._voice = voice
        self._haste = haste
        self._patience = 0
        self.patience_ms = patience_ms
        self.is_speaking = False  # an utterance is open: begun or restored, and not yet ended
        self.is_stirring = False  # what was just heard may become speech; 200 ms at most at a time
        self._recent = 0  # whether the last OPEN_WINDOW_FRAMES held a voice, a bit for each
        self._partial = bytearray()  # fed, but not yet a whole frame, or not decided on
        self._audio = bytearray()  # the pre-roll while quiet, the utterance while speaking
        self._at = 0  # samples in whole frames so far
        self._restored = 0  # samples at the front of the audio that came from restore()
        self._began: int | None = None  # the first voiced sample of this utterance on this stream
        self._voiced_to = 0
        self._paused_after = -1  # where the voice ended before the pause that was told last
        self._stirring_frames = 0

    @property
    def patience_ms(self) -> int:
        """How much silence ends an utterance: PATIENCE_MS_MIN to PATIENCE_MS_MAX. May change at any time."""
        return milliseconds(self._patience)

    @patience_ms.setter
    def patience_ms(self, patience_ms: int) -> None:
        if not PATIENCE_MS_MIN <= patience_ms <= PATIENCE_MS_MAX:
            raise SpeechError(
                f"A patience of {patience_ms} ms is outside {PATIENCE_MS_MIN} to {PATIENCE_MS_MAX}."
            )
        self._patience = samples(max(patience_ms // self._haste, PATIENCE_MS_MIN))

    @property
    def is_voiced(self) -> bool:
        """Whether the last 20 ms held a voice."""
        return self._voiced_to == self._at > 0

    @property
    def is_paused(self) -> bool:
        """Whether the open utterance has fallen silent for 300 ms, and `SpeechPaused` was told."""
        return self.is_speaking and self._paused_after == self._voiced_to

    @property
    def so_far(self) -> bytes:
        """The audio of the open utterance, from its pre-roll on; empty when none is open."""
        return bytes(self._audio) if self.is_speaking else b""

    @property
    def open_ms(self) -> int:
        """How long the audio of the open utterance is; 0 when none is open."""
        return milliseconds(len(self._audio)) if self.is_speaking else 0

    @property
    def speech_ms(self) -> int:
        """How long confirmed speech has run, first voiced frame to last; 0 when none is open.

        What was restored doesn't count: it says nothing about the caller speaking now.
        """
        if self._began is None:
            return 0
        return milliseconds(self._voiced_to - self._began)

    @property
    def samples_fed(self) -> int:
        """How much audio was fed, in samples: the clock of every position here."""
        return self._at + len(self._partial)

    def when_decided(self, tell: Callable[[], None] | None) -> None:
        """Have `tell` called whenever audio was decided on late: `feed(b"")` then gives what it brought about.

        None: nobody is to be called any more.
        """
        self._voice.when_decided(tell)

    def feed(self, ulaw: bytes) -> tuple[Speech, ...]:
        """Take the next mu-law audio, of any length, and return what it brought about, in order.

        What a voice has not decided on yet waits, and is returned by a later `feed`.
        """
        verdicts = self._voice.feed(ulaw)
        if len(ulaw) == FRAME_SAMPLES and not self._partial and len(verdicts) == 1:
            change = self._judge(ulaw, is_voiced=verdicts[0])
            return NOTHING if change is None else (change,)
        self._partial += ulaw
        found: list[Speech] = []
        for is_voiced in verdicts:
            change = self._judge(self._partial[:FRAME_SAMPLES], is_voiced=is_voiced)
            del self._partial[:FRAME_SAMPLES]
            if change is not None:
                found.append(change)
        return tuple(found)

    def _judge(self, frame: bytes | bytearray, *, is_voiced: bool) -> Speech | None:
        """Take a whole frame, and whether it holds a voice."""
        self._audio += frame
        self._at += FRAME_SAMPLES
        if is_voiced:
            self._voiced_to = self._at
        recent = self._recent = (self._recent << 1 | is_voiced) & OPEN_WINDOW
        if self.is_speaking:
            return self._speaking()
        if recent or self.is_stirring:
            return self._quiet()
        self._trim()  # nearly always nobody speaks
        return None

    def _stir(self) -> None:
        """Something stirs: note for how long, and when nothing comes of it."""
        self.is_stirring = self._stirring_frames < STIR_FRAMES_MAX
        if self.is_stirring:
            self._stirring_frames += 1
        else:
            self._stirring_frames = self._recent = 0

    def take(self) -> bytes | None:
        """Hand over the utterance that is open, from its pre-roll to the last sample fed, and fall quiet.

        Returns None when nobody speaks. For the end of a stream: see `restore`.
        """
        if not self.is_speaking:
            return None
        half = bytes(self._audio + self._partial)
        self._close()
        self._audio.clear()
        return half

    def restore(self, audio: bytes) -> None:
        """Open an utterance with what `take` gave, in front of whatever follows.

        When the caller says no more it ends after the usual patience, with the half that was kept.
        Of more than 15 s only the last 15 s are kept; empty audio changes nothing.
        """
        if not audio:
            return
        if not self.is_speaking:
            del self._audio[:-QUIET]
            self._voiced_to = max(self._voiced_to, self._at)
            self._open()
        kept = audio[-UTTERANCE_MAX:]
        self._audio[:0] = kept
        self._restored += len(kept)

    def _quiet(self) -> Speech | None:
        """Keep the pre-roll; open an utterance when enough of the last frames are voiced."""
        voiced = self._recent.bit_count()
        if voiced < OPEN_FRAMES:
            if self.is_stirring or voiced >= STIR_FRAMES:
                self._stir()
            self._trim()
            return None
        self._began = self._at - self._recent.bit_length() * FRAME_SAMPLES
        self._open()
        del self._audio[: -(self._at - self._began + PRE_ROLL)]
        return SpeechBegan(self._began)

    def _trim(self) -> None:
        """Keep no more than the pre-roll and a few frames, until there are more of them."""
        if len(self._audio) > QUIET_MAX:
            del self._audio[:-QUIET]

    def _speaking(self) -> Speech | None:
        """Go on until the silence is long enough, or the utterance too long; tell of a pause once."""
        if self._began is None and self._voiced_to == self._at:
            self._began = self._at - FRAME_SAMPLES
        silent = self._at - self._voiced_to
        if silent >= self._patience:
            return self._end(surplus=max(0, silent - TAIL), was_cut=False)
        if len(self._audio) >= UTTERANCE_MAX:
            return self._end(surplus=0, was_cut=True)
        if silent >= PAUSE and not self.is_paused:
            self._paused_after = self._voiced_to
            return SpeechPaused(bytes(self._audio))
        return None

    def _end(self, *, surplus: int, was_cut: bool) -> SpeechEnded:
        """Close the utterance without its last `surplus` samples, which are the next one's pre-roll."""
        length = len(self._audio) - surplus
        to_sample = self._at - surplus
        ended = SpeechEnded(
            audio=bytes(self._audio[:length]),
            from_sample=to_sample - (length - self._restored),
            to_sample=to_sample,
            was_cut=was_cut,
        )
        del self._audio[:length]
        self._close()
        return ended

    def _open(self) -> None:
        self.is_speaking, self.is_stirring, self._stirring_frames = True, False, 0

    def _close(self) -> None:
        self.is_speaking = False
        self._began = None
        self._restored = self._recent = 0
