import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from service.errors import SpeechError, SynthesisFailed
from service.speech.cache import SpeechCache
from service.speech.pool import SpeechPool
from service.speech.recognizer import recognizer
from service.speech.synthesizer import synthesizer
from service.speech.timing import Timed
from service.speech.transcript import Transcript

pytestmark = pytest.mark.asyncio


class GatedEngines:
    """Speaks and hears only while its gate is open; notes in which order it was asked."""

    name = "gated"
    voice = "none"
    seed = 0

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.asked: list[str] = []

    def render(self, text: str) -> bytes:
        self._wait(text)
        if text == "broken":
            raise SynthesisFailed("The synthesiser had nothing to say.")
        return text.encode()

    def transcribe(self, ulaw: bytes) -> Transcript:
        self._wait(ulaw.decode())
        return Transcript(ulaw.decode(), 900)

    def _wait(self, what: str) -> None:
        self.asked.append(what)
        assert self.gate.wait(10)


@asynccontextmanager
async def gated(threads: int = 1) -> AsyncIterator[tuple[SpeechPool, GatedEngines]]:
    engines = GatedEngines()
    pool = SpeechPool(engines, engines, voices=threads, ears=threads)
    try:
        yield pool, engines
    finally:
        engines.gate.set()
        await pool.close()


async def begun(*work: asyncio.Task[bytes]) -> None:
    """Let every task run up to where it waits."""
    for _ in range(2 + len(work)):
        await asyncio.sleep(0)


async def test_it_renders_and_transcribes() -> None:
    async with gated() as (pool, engines):
        engines.gate.set()
        assert await pool.render("hello") == b"hello"
        assert await pool.transcribe(b"yes", 1_000) == Transcript("yes", 900)


async def test_what_was_rendered_once_comes_from_the_cache() -> None:
    async with gated() as (pool, engines):
        engines.gate.set()
        audio = await pool.render("hello", call="A")
        assert await pool.render("hello", call="B") is audio
        assert isinstance(audio, Timed), "and where its words end is not estimated again"
        assert engines.asked == ["hello"]


async def test_who_is_spoken_to_does_not_wait_behind_who_is_listened_to() -> None:
    async with gated() as (pool, engines):
        listening = [asyncio.create_task(pool.transcribe(b"long", call="A")) for _ in range(3)]
        speaking = asyncio.create_task(pool.render("hello", call="B"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (pool.running, pool.waiting) == (2, 2)
        engines.gate.set()
        assert await speaking == b"hello"
        assert {one.text for one in await asyncio.gather(*listening)} == {"long"}


async def test_a_job_past_its_time_is_an_error() -> None:
    async with gated() as (pool, _):
        with pytest.raises(SpeechError, match="within 1 ms"):
            await pool.transcribe(b"late", 1)
        with pytest.raises(SpeechError, match="within 2 ms"):
            await pool.render("late", within_ms=2)


async def test_an_engine_s_error_reaches_the_asker_and_nobody_else() -> None:
    async with gated() as (pool, engines):
        engines.gate.set()
        with pytest.raises(SynthesisFailed):
            await pool.render("broken")
        assert await pool.render("whole") == b"whole"


async def test_closing_lets_run_what_runs_and_refuses_the_rest() -> None:
    async with gated() as (pool, engines):
        running = asyncio.create_task(pool.render("running"))
        waiting = asyncio.create_task(pool.render("waiting"))
        await begun(running, waiting)
        closing = asyncio.create_task(pool.close())
        with pytest.raises(SpeechError, match="shutting down"):
            await waiting
        engines.gate.set()
        assert await running == b"running"
        await closing
        with pytest.raises(SpeechError, match="are shut down"):
            await pool.render("new")
        await pool.close()
        assert engines.asked == ["running"]


async def test_the_real_engines_serve_several_calls_at_once() -> None:
    pool = SpeechPool(synthesizer(), recognizer(), cache=SpeechCache(0))
    texts = ["Hello there.", "Yes, that's right.", "No, that's wrong."]
    audio = await asyncio.gather(*(pool.render(text, call=text) for text in texts))
    heard = await asyncio.gather(*(pool.transcribe(sound, call="x") for sound in audio))
    assert [transcript.text for transcript in heard] == texts
    await pool.close()
