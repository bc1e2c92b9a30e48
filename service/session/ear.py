"""The caller's half of the talk: audio in, utterances out.

The short path: audio never passes through `decide`. Only what it means does: speech began, the caller
barged in, an utterance was said. Utterances are recognised one after the other, so their order holds.
The ear outlives the stream: a half utterance is still recognised after the socket is gone.
"""

import asyncio
import logging
from collections.abc import Callable

from service.audio import milliseconds
from service.call.inputs import BargedIn, Input, SpeechBegan, Utterance
from service.call.resume import WORDS_LOST_MS
from service.session.means import Speech
from service.speech.endpoint import Endpointer, SpeechBegan as Began

BARGE_IN_MS = 400  # of confirmed speech: shorter is a cough or a "mm-hm"
RECOGNISE_MS_MAX = 8_000  # after that the caller is asked again
UTTERANCES_WAITING_MAX = (
    8  # two minutes of speech; more means that the recogniser is not keeping up
)
HALF_MS_MIN = 300  # less of an utterance holds no word

_log = logging.getLogger(__name__)


class Ear:
    """Listens to one call."""

    def __init__(
        self,
        call_sid: str,
        speech: Speech,
        endpointer: Callable[[], Endpointer],
        post: Callable[[Input], None],
    ) -> None:
        self._call_sid = call_sid
        self._speech = speech
        self._post = post
        self._make_endpointer = endpointer
        self._endpointer = endpointer()
        self._waiting: asyncio.Queue[tuple[bytes, bool]] = asyncio.Queue(UTTERANCES_WAITING_MAX)
        self._has_barged_in = False
        self._half: bytes | None = None
        self._giving_up: asyncio.TimerHandle | None = None

    def attach(self) -> None:
        """Begin a new stream. A half utterance that is not older than a syllable goes on in it."""
        self._endpointer = self._make_endpointer()
        self._has_barged_in = False
        if self._giving_up is not None:
            self._giving_up.cancel()
        half, self._half = self._half, None
        if half is not None:
            self._endpointer.restore(half)
            self._post(SpeechBegan())

    def hear(self, ulaw: bytes, *, is_mouth_busy: bool) -> None:
        """Take the next audio of the caller."""
        for event in self._endpointer.feed(ulaw):
            if isinstance(event, Began):
                self._has_barged_in = False
                self._post(SpeechBegan())
            else:
                self._recognise(event.audio, is_partial=False)
        speaks = self._endpointer.is_speaking and self._endpointer.speech_ms >= BARGE_IN_MS
        if speaks and is_mouth_busy and not self._has_barged_in:
            self._has_barged_in = True
            self._post(BargedIn())

    def detach(self) -> None:
        """The stream is gone: what was half said is kept for a moment, then recognised as it stands."""
        half = self._endpointer.take()
        if half is not None and milliseconds(len(half)) >= HALF_MS_MIN:
            self._half = half
            loop = asyncio.get_running_loop()
            self._giving_up = loop.call_later(WORDS_LOST_MS / 1000, self._give_up)

    def _give_up(self) -> None:
        """The gap has cost words: the half utterance will not go on."""
        half, self._half = self._half, None
        if half is not None:
            self._recognise(half, is_partial=True)

    def _recognise(self, ulaw: bytes, *, is_partial: bool) -> None:
        try:
            self._waiting.put_nowait((ulaw, is_partial))
        except asyncio.QueueFull:
            _log.error(
                "! an utterance was not recognised: too many are waiting",
                extra={"action": "recogniser_behind", "call_sid": self._call_sid},
            )
            self._post(Utterance("", 0, milliseconds(len(ulaw)), is_partial))

    async def run(self) -> None:
        """Recognise until cancelled."""
        while True:
            ulaw, is_partial = await self._waiting.get()
            text, confidence_milli = await self._transcript(ulaw)
            self._post(Utterance(text, confidence_milli, milliseconds(len(ulaw)), is_partial))

    async def _transcript(self, ulaw: bytes) -> tuple[str, int]:
        try:
            async with asyncio.timeout(RECOGNISE_MS_MAX / 1000):
                found = await self._speech.transcribe(ulaw, call=self._call_sid)
        except Exception as trouble:  # noqa: BLE001 - an engine raises what it likes: the ear must not die of it
            _log.error(
                "! an utterance was not recognised: %s",
                type(trouble).__name__,
                extra={"action": "recognition_failed", "call_sid": self._call_sid},
            )
            return "", 0
        return found.text, found.confidence_milli
