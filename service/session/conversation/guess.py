r"""The recogniser, asked before the utterance is over, so that the answer is there when it is.

    voice ~~~~~~~~~~~~~~~~~~~~~\______________|  patience
             ^ a guess a second   ^ at 300 ms   ^ the end: the guess of the pause is the transcript

Rules this file keeps:
1. At most one guess is under way for a call; a newer one takes its place.
2. A guess never delays a transcript: the end of the utterance takes the guess over when it was made of
   the very same audio, and drops it when it was not.
3. In a pause the caller may have ended, so that guess waits in one row with utterances; others go behind.
4. A guess that fails is nothing to speak of. Only a transcript that fails is told, once.
"""

import asyncio
import logging
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass

from service.session.means import Speech
from service.speech.transcript import Transcript

GUESS_MS_MAX = 2_000  # later than this the caller has long gone on, or waits for us
RECOGNISE_MS_MAX = 8_000  # after that the caller is asked again

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Guess:
    """One recognition under way or done: of `ulaw`, made in a pause or while the voice went on."""

    ulaw: bytes
    in_pause: bool
    task: asyncio.Task[Transcript | None]


class Guesses:
    """The guesses of one ear. `on_answer` is told of each that nobody took over or dropped."""

    def __init__(
        self,
        call_sid: str,
        speech: Speech,
        on_answer: Callable[[Guess, Transcript | None], None],
    ) -> None:
        self._call_sid = call_sid
        self._speech = speech
        self._on_answer = on_answer
        self._guess: Guess | None = None
        self._scope = copy_context()  # the call's, whoever brings its sound

    @property
    def is_under_way(self) -> bool:
        """Whether the recogniser is busy with a guess of ours."""
        return self._guess is not None and not self._guess.task.done()

    def ask(self, ulaw: bytes, *, in_pause: bool) -> None:
        """Have this recognised, in place of whatever is under way."""
        self.drop()
        task = asyncio.create_task(
            self._recognise(ulaw, is_guess=not in_pause), context=self._scope
        )
        guess = self._guess = Guess(ulaw, in_pause, task)
        task.add_done_callback(lambda _task: self._answered(guess))

    def drop(self) -> None:
        """Forget the guess, and stop it if it is under way."""
        if self._guess is not None:
            self._guess.task.cancel()
            self._guess = None

    def take(self, ulaw: bytes) -> asyncio.Task[Transcript | None] | None:
        """Hand over the guess that was made of exactly this audio; any other is dropped."""
        guess = self._guess
        if guess is None or guess.ulaw != ulaw:
            self.drop()
            return None
        self._guess = None
        return guess.task

    async def _recognise(self, ulaw: bytes, *, is_guess: bool) -> Transcript | None:
        try:
            async with asyncio.timeout(GUESS_MS_MAX / 1000):
                return await self._speech.transcribe(ulaw, call=self._call_sid, is_guess=is_guess)
        except Exception as trouble:  # noqa: BLE001 - an engine raises what it likes
            _log.debug("a guess failed: %s", type(trouble))
            return None

    def _answered(self, guess: Guess) -> None:
        if guess is self._guess and not guess.task.cancelled():
            self._on_answer(guess, guess.task.result())


async def transcript(call_sid: str, speech: Speech, ulaw: bytes) -> Transcript | None:
    """Return what is said in a whole utterance, or None when the recogniser failed. Never raises."""
    try:
        async with asyncio.timeout(RECOGNISE_MS_MAX / 1000):
            return await speech.transcribe(ulaw, call=call_sid)
    except Exception as trouble:  # noqa: BLE001 - an engine raises what it likes: the ear must not die of it
        _log.error(
            "! an utterance was not recognised: %s",
            type(trouble),
            extra={"action": "recognition_failed", "call_sid": call_sid},
        )
        return None
