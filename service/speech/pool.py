"""Where the heavy work of speech is done: a few threads, shared fairly by all calls.

    texts      ──> cache ──> crew of 1 thread  ──> audio
    utterances ──────────> crew of 2 threads ──> transcripts

Rules this file keeps:
1. The event loop never runs an engine. The engines release Python's lock while they count: with all
   threads saturated the loop was late by 2 ms at most.
2. Who is spoken to doesn't wait behind who is listened to: a clause takes 35 ms, an utterance ten times
   as long. With one crew for both, the first sound came after 3 s when eight callers spoke at once.
3. Fair and bounded within each crew, and an utterance that is over goes before a guess: see crew.py.
4. A transcript is worth something only soon. A job not done within its time is a SpeechError, and
   is not begun if it was still waiting: the caller is asked again instead of waited for.
"""

import asyncio

from service.speech.cache import Said, SpeechCache
from service.speech.crew import Crew
from service.speech.recognizer import Recognizer
from service.speech.synthesizer import Synthesizer
from service.speech.timing import timed
from service.speech.transcript import Transcript

VOICES = 1  # one core speaks thirty times as fast as people listen
EARS = 2  # measured on two cores; one model call uses one thread
WITHIN_MS = 5_000  # a caller who hears nothing for five seconds asks whether anybody is there


class SpeechPool:
    """Renders and transcribes for all calls of this server. For use on one event loop."""

    def __init__(
        self,
        synthesizer: Synthesizer,
        recognizer: Recognizer,
        *,
        voices: int = VOICES,
        ears: int = EARS,
        cache: SpeechCache | None = None,
    ) -> None:
        self._synthesizer = synthesizer
        self._recognizer = recognizer
        self._cache = SpeechCache() if cache is None else cache
        self._voices = Crew(voices, "voice")
        self._ears = Crew(ears, "ear")

    @property
    def waiting(self) -> int:
        """How many jobs wait for a thread."""
        return self._voices.waiting + self._ears.waiting

    @property
    def running(self) -> int:
        """How many jobs have a thread."""
        return self._voices.running + self._ears.running

    async def render(self, text: str, *, call: str = "", within_ms: int = WITHIN_MS) -> bytes:
        """Return the text spoken as mu-law, from the cache when it was spoken before.

        `call` is whom it is for: any name, the CallSid for a call. Raises SynthesisFailed when the
        text can't be spoken, SpeechError when there is no room or it is not done in `within_ms`.
        """
        speaker = self._synthesizer
        said = Said(speaker.name, speaker.voice, speaker.seed, text)
        audio = self._cache.get(said)
        if audio is None:
            # In the voice's thread, and once: where its words end is asked each time that it is said.
            audio = await self._voices.ask(
                call, lambda: timed(text, speaker.render(text)), within_ms
            )
            self._cache.put(said, audio)
        return audio

    async def transcribe(
        self, ulaw: bytes, within_ms: int = WITHIN_MS, *, call: str = "", is_guess: bool = False
    ) -> Transcript:
        """Return what is said in the utterance; `is_guess` while it goes on, and nobody waits for it.

        `within_ms` counts from now. Raises SpeechError when there is no room, or when it is not done
        within that time.
        """
        return await self._ears.ask(
            call, lambda: self._recognizer.transcribe(ulaw), within_ms, is_guess=is_guess
        )

    async def close(self) -> None:
        """Refuse what waits, let what runs finish, end the threads. Closing twice is harmless."""
        await asyncio.gather(self._voices.close(), self._ears.close())
