"""The parent of several workers, as processes (the crowd in tests/standins/crowd.py)."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from service.clock import Clock
from service.workers.workers import HOPELESS
from tests.conftest import wait_until

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(60)]

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30


class Crowd:
    """The program, running."""

    def __init__(self, folder: Path, count: int, way: str) -> None:
        self._log = folder / "crowd.log"
        with self._log.open("wb") as log:
            self.running = subprocess.Popen(  # noqa: S603 - our own arguments
                [sys.executable, "-m", "tests.standins.crowd", str(count), way],
                cwd=ROOT, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
            )  # fmt: skip
        assert self.running.stdout is not None
        self.port = int(self.running.stdout.readline())

    def log(self) -> str:
        return self._log.read_text()

    def answered(self) -> int:
        """Return the number of the process that answers; one that was killed may drop the first who asks."""
        while True:
            with (
                suppress(ConnectionResetError),
                socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as there,
            ):
                if told := there.recv(100):
                    return int(told)

    def started(self) -> list[int]:
        lines = self.log().splitlines()
        return [int(line.split()[2]) for line in lines if line.endswith(" started")]

    async def workers(self, count: int) -> set[int]:
        """Return the numbers of the workers, once so many have been started."""
        await wait_until(
            lambda: len(self.started()) >= count,
            description="they are started",
            within_s=PATIENCE_S,
        )
        return set(self.started())

    def ended(self) -> int:
        return self.running.wait(PATIENCE_S)


@contextmanager
def crowd(folder: Path, count: int, way: str = "good") -> Iterator[Crowd]:
    made = Crowd(folder, count, way)
    try:
        yield made
    finally:
        made.running.kill()
        made.running.wait()
        assert made.running.stdout is not None
        made.running.stdout.close()


def lives(pid: int) -> bool:
    with suppress(ProcessLookupError, FileNotFoundError):  # It may end between the two questions.
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


async def gone(pids: set[int]) -> None:
    await wait_until(
        lambda: not any(map(lives, pids)), description="they are gone", within_s=PATIENCE_S
    )


async def test_workers_share_one_port_and_a_signal_ends_them_all(tmp_path: Path) -> None:
    with crowd(tmp_path, 2) as made:
        pids = await made.workers(2)
        assert made.answered() in pids
        made.running.send_signal(signal.SIGTERM)
        assert made.ended() == 0
        await gone(pids)


async def test_a_key_pressed_at_the_terminal_is_passed_on(tmp_path: Path) -> None:
    with crowd(tmp_path, 2) as made:
        pids = await made.workers(2)
        made.answered()
        os.killpg(made.running.pid, signal.SIGINT)
        assert made.ended() == 0
        await gone(pids)


async def test_a_key_pressed_while_they_still_start_ends_them_without_an_error(
    tmp_path: Path,
) -> None:
    """A new Python takes the key for an error of its own, and so would whoever waits for us."""
    with crowd(tmp_path, 4) as made:
        pids = await made.workers(4)
        os.killpg(made.running.pid, signal.SIGINT)
        assert made.ended() == 0
        await gone(pids)
        assert "Traceback" not in made.log()


async def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    with crowd(tmp_path, 1) as made:
        first = made.answered()
        os.kill(first, signal.SIGKILL)
        second = made.answered()
        assert second != first
        assert "a worker ended with -9" in made.log()


async def test_one_that_dies_young_again_and_again_is_replaced_a_little_later_each_time(
    tmp_path: Path,
) -> None:
    with crowd(tmp_path, 1, "weak") as made:
        await made.workers(4)
        pauses = [line.rpartition("in ")[2] for line in made.log().splitlines() if "7;" in line]
        assert pauses[:3] == ["0 ms", "50 ms", "100 ms"]
        made.running.send_signal(signal.SIGTERM)
        made.ended()


async def test_a_wrong_setting_ends_all(tmp_path: Path) -> None:
    with crowd(tmp_path, 2, "wrong") as made:
        assert made.ended() == HOPELESS


async def test_a_worker_that_hears_nothing_is_killed_in_time(tmp_path: Path) -> None:
    """Requirement O-9: the end comes in time, whatever hangs."""
    with crowd(tmp_path, 2, "deaf") as made:
        pids = await made.workers(2)
        made.answered()
        clock = Clock()
        began_ms = clock.now_ms()
        made.running.send_signal(signal.SIGTERM)
        made.ended()
        assert 600 < clock.now_ms() - began_ms < 5_000
        await gone(pids)


async def test_workers_whose_parent_is_killed_end_by_themselves(tmp_path: Path) -> None:
    with crowd(tmp_path, 2) as made:
        pids = await made.workers(2)
        made.answered()
        made.running.kill()
        await gone(pids)
