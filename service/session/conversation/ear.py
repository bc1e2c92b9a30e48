"""The caller's half of the talk: audio in, utterances out.

    audio ──> Endpointer ── stirs, begins ──> on_onset(): we fall silent at once
                 ^          pauses ─────────> a guess ──> its words set the patience
                 └── patience_ms ────────────────┘   └──> PartlyHeard, BargedIn
                            ends ───────────> the guess of the pause, or the recogniser ──> Utterance

The short path: audio never passes through `decide`. Only what it means does. Utterances are told in
their order. The ear outlives the stream: a half utterance is still recognised after the socket is gone.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from service.audio import milliseconds, samples
from service.call.decisions import floor
from service.call.decisions.resume import WORDS_LOST_MS
from service.call.inputs import BargedIn, Input, PartlyHeard, SpeechBegan, Utterance
from service.call.state import Call
from service.session.conversation.guess import Guess, Guesses, transcript
from service.session.means import Speech
from service.speech.ear.endpoint import Endpointer
from service.speech.ear.heard import (
    SpeechBegan as Began,
    SpeechEnded as Ended,
    SpeechPaused as Paused,
)
from service.speech.transcript import Transcript
from service.waiting import Row

UTTERANCES_WAITING_MAX = (
    8  # two minutes of speech; more means that the recogniser is not keeping up
)
HALF_MS_MIN = 300  # less of an utterance holds no word
WORDLESS_MS = floor.PATIENCE_MS_MAX  # until a pause's words are known: waiting costs nothing then

GUESS_EVERY = samples(1_000)  # while the voice goes on
GUESS_OVER_US_EVERY = samples(400)  # while we must know whether we are interrupted
GUESS_OF_MS_MAX = 8_000  # the recogniser's cost grows with length: 0.18 s for this much
GUESS_REST = 3  # times as long as the last guess took, the recogniser is left to others

_log = logging.getLogger(__name__)


@dataclass
class _Open:
    """What is known of the open utterance. Positions are samples of the stream."""

    text: str = ""
    told: str = ""
    told_at: int = 0
    asked_at: int = 0
    free_at: int = 0
    has_barged_in: bool = False
    is_sealed: bool = False
    call: Call | None = None  # the state that was looked at last, and whether we speak in it
    speaks: bool = False

    def look(self, call: Call) -> None:
        """Take note of a state: of nearly all frames it is the one of the frame before."""
        self.call, self.speaks = call, bool(call.prompts)
        self.is_sealed = self.is_sealed or call.privacy.is_private


@dataclass(frozen=True)
class _Whole:
    """An utterance to be told of: its audio, its guess if there is one, the words known before."""

    ulaw: bytes
    is_partial: bool
    was_cut: bool
    known: str
    guess: asyncio.Task[Transcript | None] | None
    is_sealed: bool


class Ear:
    """Listens to one call."""

    __slots__ = (
        "_call",
        "_call_sid",
        "_endpointer",
        "_giving_up",
        "_guesses",
        "_had_floor",
        "_half",
        "_is_noisy",
        "_make_endpointer",
        "_on_false_alarm",
        "_on_onset",
        "_open",
        "_post",
        "_speech",
        "_untold",
        "_waiting",
    )

    def __init__(
        self,
        call_sid: str,
        speech: Speech,
        endpointer: Callable[[], Endpointer],
        post: Callable[[Input], None],
        *,
        call: Callable[[], Call],
        on_onset: Callable[[], None],
        on_false_alarm: Callable[[], None],
    ) -> None:
        self._call_sid = call_sid
        self._speech = speech
        self._post = post
        self._call = call
        self._on_onset = on_onset
        self._on_false_alarm = on_false_alarm
        self._make_endpointer = endpointer
        self._endpointer = self._listening()
        self._guesses = Guesses(call_sid, speech, self._guessed)
        self._open = _Open()
        self._waiting = Row[_Whole]()
        self._untold = 0
        self._had_floor = False
        self._is_noisy = False
        self._half: bytes | None = None
        self._giving_up: asyncio.TimerHandle | None = None

    @property
    def has_floor(self) -> bool:
        """Whether the caller speaks, or spoke and the words are not told yet.

        After 15 s of sound that made no words the line is taken for noisy: then a voice alone does
        not take the floor, words do. Else a television would silence us for ever.
        """
        hears = self._endpointer.is_speaking or self._endpointer.is_stirring
        return self._untold > 0 or (hears and bool(self._open.text or not self._is_noisy))

    def attach(self) -> None:
        """Begin a new stream. A half utterance that is not older than a syllable goes on in it."""
        self._guesses.drop()
        self._endpointer = self._listening()
        if self._giving_up is not None:
            self._giving_up.cancel()
        half, self._half = self._half, None
        known = self._open if half is not None else _Open()
        self._open = _Open(
            known.text, known.told, has_barged_in=known.has_barged_in, is_sealed=known.is_sealed
        )
        if half is not None:
            self._endpointer.restore(half)
            self._post(SpeechBegan())
        self._watch_floor()

    def _listening(self) -> Endpointer:
        """Return an endpointer for a stream; what it decides late is heard late."""
        made = self._make_endpointer()
        made.when_decided(lambda: self.hear(b""))
        return made

    def go_on(self) -> None:
        """Begin a new stream, of whose gap nothing was missed: what is half said goes on."""
        if self._endpointer.is_speaking:
            self._post(SpeechBegan())
        self._watch_floor()

    def hear(self, ulaw: bytes) -> None:
        """Take the next audio of the caller."""
        ear = self._endpointer
        found = ear.feed(ulaw)
        for event in found:
            match event:
                case Began():
                    at = ear.samples_fed
                    self._open = _Open(told_at=at, asked_at=at)
                    self._post(SpeechBegan())
                case Paused():
                    ear.patience_ms = WORDLESS_MS
                    self._guess(event.audio, in_pause=True)
                case Ended():
                    self._end(event.audio, is_partial=False, was_cut=event.was_cut)
        if ear.is_speaking:
            self._follow()
        # Who goes on speaking has the floor as before; what a guess changes is told when it is answered.
        if found or (not ear.is_speaking and (ear.is_stirring or self._had_floor)):
            self._watch_floor()

    def detach(self) -> None:
        """The stream is gone: what was half said is kept for a moment, then recognised as it stands."""
        self._guesses.drop()
        self._endpointer.when_decided(None)
        half = self._endpointer.take()
        self._had_floor = self.has_floor
        if half is not None and milliseconds(len(half)) >= HALF_MS_MIN:
            self._half = half
            loop = asyncio.get_running_loop()
            self._giving_up = loop.call_later(WORDS_LOST_MS / 1000, self._give_up)

    def _give_up(self) -> None:
        """The gap has cost words: the half utterance will not go on."""
        half, self._half = self._half, None
        if half is not None:
            self._end(half, is_partial=True, was_cut=False)

    def _follow(self) -> None:
        """While the caller speaks: guess now and then, tell what is new, notice an interruption."""
        ear, known, call = self._endpointer, self._open, self._call()
        if call is not known.call:
            known.look(call)
        is_over_us = known.speaks and not known.has_barged_in
        at, every = ear.samples_fed, GUESS_OVER_US_EVERY if is_over_us else GUESS_EVERY
        if at >= known.asked_at + every and at >= known.free_at:
            can_be = ear.is_voiced and not self._guesses.is_under_way
            if can_be and ear.open_ms <= GUESS_OF_MS_MAX:
                self._guess(ear.so_far, in_pause=False)
        is_news = known.text != known.told and at >= known.told_at + GUESS_EVERY
        if is_news and not known.is_sealed:
            known.told, known.told_at = known.text, at
            self._post(PartlyHeard(known.text))
        if is_over_us:
            self._interrupt(call)

    def _interrupt(self, call: Call) -> None:
        """Tell, once an utterance, that the caller means to speak while we do."""
        known = self._open
        can_be_meant = bool(known.text) or not self._is_noisy
        if not known.has_barged_in and call.prompts and can_be_meant:
            known.has_barged_in = floor.is_interruption(
                call, known.text, self._endpointer.speech_ms
            )
            if known.has_barged_in:
                self._post(BargedIn())

    def _guess(self, ulaw: bytes, *, in_pause: bool) -> None:
        self._open.asked_at = self._endpointer.samples_fed
        self._guesses.ask(ulaw, in_pause=in_pause)

    def _guessed(self, guess: Guess, found: Transcript | None) -> None:
        """Take the answer to a guess about the utterance that is still open."""
        ear, known = self._endpointer, self._open
        took = ear.samples_fed - known.asked_at
        known.free_at = ear.samples_fed + took * GUESS_REST
        if guess.in_pause and ear.is_paused:
            text = found.text if found is not None else ""
            ear.patience_ms = floor.patience_ms(self._call(), text)
        if found is not None and found.text:
            known.text = found.text
            self._interrupt(self._call())
        self._watch_floor()

    def _watch_floor(self) -> None:
        """Tell when the floor was taken, and when it was nothing."""
        has_floor, had_floor = self.has_floor, self._had_floor
        self._had_floor = has_floor
        if has_floor and not had_floor:
            self._on_onset()
        elif had_floor and not has_floor:
            self._on_false_alarm()

    def _end(self, ulaw: bytes, *, is_partial: bool, was_cut: bool) -> None:
        guess = self._guesses.take(ulaw)
        known = self._open.text if is_partial else ""
        is_sealed = self._open.is_sealed or self._call().privacy.is_private
        self._open = _Open()
        if self._waiting.qsize() < UTTERANCES_WAITING_MAX:
            self._waiting.put_nowait(_Whole(ulaw, is_partial, was_cut, known, guess, is_sealed))
            self._untold += 1
        else:
            _log.error(
                "! an utterance was not recognised: too many are waiting",
                extra={"action": "recogniser_behind", "call_sid": self._call_sid},
            )
            self._post(Utterance("", 0, milliseconds(len(ulaw)), is_partial))

    async def run(self) -> None:
        """Recognise until cancelled."""
        try:
            while True:
                whole = await self._waiting.get()
                found = await whole.guess if whole.guess is not None else None
                if found is None:
                    found = await transcript(self._call_sid, self._speech, whole.ulaw)
                self._tell(whole, found or Transcript(whole.known, 0))
        finally:
            self._guesses.drop()

    def _tell(self, whole: _Whole, found: Transcript) -> None:
        self._is_noisy = not found.text and (whole.was_cut or self._is_noisy)
        self._untold -= 1
        self._had_floor = self.has_floor
        self._post(
            Utterance(
                found.text,
                found.confidence_milli,
                milliseconds(len(whole.ulaw)),
                whole.is_partial,
                is_sealed=whole.is_sealed,
            )
        )
