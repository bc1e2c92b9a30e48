"""Several processes at one port: started, started again when one dies, and ended together.

    parent ── the listening sockets ──> worker, worker …       each a whole server, on one store
      │ SIGTERM, SIGINT: passed on to all
      └ a worker died: the next one, at once; one that dies young a little later each time

The parent serves nobody and holds nothing. When it is gone, its workers drain. A worker that is told to
end before it listens to signals is ended by them.
"""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from multiprocessing import connection, resource_tracker
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Any

from service.clock import Clock

EXIT_MS_MAX = 28_000  # each worker bounds its own end within this; then it is killed
YOUNG_MS = 10_000  # who dies before that would only die again
PAUSE_MS_FIRST = 1_000  # doubled each time
PAUSE_MS_MAX = 30_000
HOPELESS = 2  # the exit code for a wrong setting: the next one would find the same

_FOREVER_MS = 3_600_000
_SPAWN = multiprocessing.get_context(
    "spawn"
)  # A fork would copy threads, locks and all, half done.

_log = logging.getLogger(__name__)


class Workers:
    """Keeps `count` processes at `work(*given)`, which returns an exit code. All must be picklable."""

    def __init__(self, count: int, work: Callable[..., int], *given: Any) -> None:
        self._count = count
        self._work = work
        self._given = given
        self._clock = Clock()
        self._running: dict[SpawnProcess, int] = {}  # and since when
        self._due_ms: list[int] = []  # when the next ones are started
        self._pause_ms = 0
        self._signals: list[int] = []
        self._told_ms = 0
        self._code = 0
        self._ear, self._mouth = socket.socketpair()

    def run(self) -> int:
        """Return when all have ended because we were told to. From the main thread only."""
        for one in (self._ear, self._mouth):
            one.setblocking(False)  # noqa: FBT003 - the standard library's own signature
        before = [(sig, signal.signal(sig, self._note)) for sig in (signal.SIGTERM, signal.SIGINT)]
        self._due_ms = [self._clock.now_ms()] * self._count
        # It comes with the first process, else, and lets through what is held back for that one.
        resource_tracker.ensure_running()
        try:
            while self._running or not self._told_ms:
                self._step()
        finally:
            for left in self._running:
                left.kill()
            for sig, earlier in before:
                signal.signal(sig, earlier)
            self._ear.close()
            self._mouth.close()
        return self._code

    def _note(self, sig: int, _frame: FrameType | None) -> None:
        self._signals.append(sig)
        self._mouth.send(b"!")

    def _step(self) -> None:
        now_ms = self._clock.now_ms()
        while not self._told_ms and self._due_ms and self._due_ms[0] <= now_ms:
            self._due_ms.pop(0)
            self._start(now_ms)
        until_ms = min([*self._due_ms[:1], now_ms + _FOREVER_MS])
        if self._told_ms:
            until_ms = self._told_ms + EXIT_MS_MAX
        sentinels = [one.sentinel for one in self._running]
        connection.wait([self._ear, *sentinels], max(0, until_ms - now_ms) / 1000)
        self._pass_on()
        self._bury()
        if self._told_ms and self._clock.now_ms() >= self._told_ms + EXIT_MS_MAX:
            for one in self._running:
                one.kill()

    def _start(self, now_ms: int) -> None:
        one = _SPAWN.Process(target=_work, args=(self._work, self._given), name="worker")
        # A new Python makes an error of a key that is pressed, so that waits until we say what it does.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
        try:
            one.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._running[one] = now_ms
        _log.info("= worker %s started", one.pid, extra={"action": "worker_started"})

    def _pass_on(self) -> None:
        try:
            self._ear.recv(100)
        except BlockingIOError:
            return
        while self._signals:
            sig = self._signals.pop(0)
            self._told_ms = self._told_ms or self._clock.now_ms()
            for one in self._running:
                if one.pid is not None and one.is_alive():
                    os.kill(one.pid, sig)

    def _bury(self) -> None:
        now_ms = self._clock.now_ms()
        for one in [one for one in self._running if not one.is_alive()]:
            age_ms = now_ms - self._running.pop(one)
            code = one.exitcode or 0
            one.close()
            if self._told_ms:
                self._code = self._code or max(0, code)
            elif code == HOPELESS:
                self._code = code
                self._signals.append(signal.SIGTERM)
                self._mouth.send(b"!")
            else:
                self._replace(code, age_ms, now_ms)

    def _replace(self, code: int, age_ms: int, now_ms: int) -> None:
        if age_ms >= YOUNG_MS:
            self._pause_ms = 0
        _log.error(
            "! a worker ended with %d; another one in %d ms",
            code,
            self._pause_ms,
            extra={"action": "worker_died"},
        )
        self._due_ms = sorted([*self._due_ms, now_ms + self._pause_ms])
        self._pause_ms = min(max(2 * self._pause_ms, PAUSE_MS_FIRST), PAUSE_MS_MAX)


def _work(work: Callable[..., int], given: Sequence[Any]) -> None:
    """What a worker runs. A key pressed at the terminal reaches the parent alone, who passes it on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.setpgrp()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT,))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.exit(work(*given))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has a parent"
    connection.wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
