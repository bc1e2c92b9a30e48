import asyncio
import threading

import pytest

from service.testing.thread import LoopThread


async def number() -> int:
    return threading.get_ident()


def test_work_is_done_in_another_thread_and_its_answer_comes_back() -> None:
    thread = LoopThread("test", lambda: None)
    assert thread.do(number()) != threading.get_ident()
    thread.halt()


def test_what_takes_too_long_is_given_up() -> None:
    thread = LoopThread("test", lambda: None)
    with pytest.raises(TimeoutError):
        thread.do(asyncio.Event().wait(), within_ms=10)
    thread.halt()


def test_after_the_halt_nothing_runs_but_the_last_act_and_what_is_let_go() -> None:
    seen: list[str] = []
    waiting = threading.Event()

    async def work() -> None:
        try:
            waiting.set()
            await asyncio.Event().wait()
        finally:
            seen.append("let go")

    async def begin() -> asyncio.Task[None]:
        return asyncio.create_task(work())

    thread = LoopThread("test", lambda: seen.append("last act"))
    task = thread.do(begin())
    assert waiting.wait(1)
    thread.halt()
    assert seen == ["last act", "let go"]
    assert task.cancelled()


async def leave() -> None:
    raise SystemExit(3)


def test_what_would_end_a_program_ends_the_thread_and_the_asker_is_told() -> None:
    thread = LoopThread("test", lambda: None)
    with pytest.raises(SystemExit):
        thread.do(leave())
    thread.halt()
    with pytest.raises(RuntimeError, match=r"test ended by SystemExit\(3\)"):
        thread.do(number())


def test_a_halted_thread_refuses_work_and_may_be_halted_again() -> None:
    thread = LoopThread("test", lambda: None)
    thread.halt()
    thread.halt()
    with pytest.raises(RuntimeError, match="stopped"):
        thread.do(number())
