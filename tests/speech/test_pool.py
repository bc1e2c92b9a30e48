import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from service.errors import SpeechError, SynthesisFailed
from service.speech.cache import SpeechCache
from service.speech.pool import JOBS_A_CALL_MAX, JOBS_MAX, SpeechPool
from service.speech.recognizer import recognizer
from service.speech.synthesizer import synthesizer
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
    pool = SpeechPool(engines, engines, threads=threads)
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
        assert await pool.render("hello", call="A") == await pool.render("hello", call="B")
        assert engines.asked == ["hello"]


async def test_calls_take_turns_however_much_one_of_them_asks() -> None:
    async with gated() as (pool, engines):
        texts = [("A", "a0"), ("A", "a1"), ("A", "a2"), ("B", "b1"), ("B", "b2"), ("C", "c1")]
        work = [asyncio.create_task(pool.render(text, call=call)) for call, text in texts]
        await begun(*work)
        assert (pool.running, pool.waiting) == (1, 5)
        engines.gate.set()
        await asyncio.gather(*work)
        assert engines.asked == ["a0", "a1", "b1", "c1", "a2", "b2"]


async def test_as_many_jobs_run_as_there_are_threads() -> None:
    async with gated(threads=2) as (pool, engines):
        work = [asyncio.create_task(pool.render(str(number))) for number in range(5)]
        await begun(*work)
        assert (pool.running, pool.waiting) == (2, 3)
        engines.gate.set()
        assert await asyncio.gather(*work) == [b"0", b"1", b"2", b"3", b"4"]


async def test_a_job_past_its_time_is_an_error_and_is_never_begun() -> None:
    async with gated() as (pool, engines):
        first = asyncio.create_task(pool.render("first"))
        await begun(first)
        with pytest.raises(SpeechError, match="within 1 ms"):
            await pool.transcribe(b"late", 1)
        assert pool.waiting == 0
        engines.gate.set()
        assert await first == b"first"
        assert engines.asked == ["first"]


async def test_a_running_job_that_is_late_is_let_go_and_its_thread_comes_back() -> None:
    async with gated() as (pool, engines):
        with pytest.raises(SpeechError, match="within 20 ms"):
            await pool.render("slow", within_ms=20)
        assert pool.running == 1
        engines.gate.set()
        assert await pool.render("next") == b"next"


async def test_a_job_whose_asker_is_cancelled_is_forgotten() -> None:
    async with gated() as (pool, engines):
        first = asyncio.create_task(pool.render("first"))
        second = asyncio.create_task(pool.render("second"))
        await begun(first, second)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        engines.gate.set()
        await first
        assert engines.asked == ["first"]


async def test_a_cancelled_asker_does_not_stall_the_next_job() -> None:
    async with gated() as (pool, engines):
        work = [asyncio.create_task(pool.render(text)) for text in ("one", "two", "three")]
        await begun(*work)
        engines.gate.set()
        work[1].cancel()
        assert await work[2] == b"three"


async def test_an_engine_s_error_reaches_the_asker_and_nobody_else() -> None:
    async with gated() as (pool, engines):
        engines.gate.set()
        with pytest.raises(SynthesisFailed):
            await pool.render("broken")
        assert await pool.render("whole") == b"whole"


async def test_one_call_may_not_queue_without_end() -> None:
    async with gated() as (pool, _):
        texts = [str(number) for number in range(1 + JOBS_A_CALL_MAX)]
        work = [asyncio.create_task(pool.render(text, call="A")) for text in texts]
        await begun(*work)
        with pytest.raises(SpeechError, match="This call has 16 jobs waiting"):
            await pool.render("more", call="A")
        other = asyncio.create_task(pool.render("other", call="B"))
        await begun(other)
        assert pool.waiting == JOBS_A_CALL_MAX + 1
        await stopped(other, *work)


async def test_all_calls_together_may_not_queue_without_end() -> None:
    async with gated() as (pool, _):
        numbers = range(1 + JOBS_MAX)
        work = [asyncio.create_task(pool.render("x", call=str(number))) for number in numbers]
        await begun(*work)
        with pytest.raises(SpeechError, match="512 jobs behind"):
            await pool.render("more", call="new")
        await stopped(*work)
        assert pool.waiting == 0


async def stopped(*work: asyncio.Task[bytes]) -> None:
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)


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
