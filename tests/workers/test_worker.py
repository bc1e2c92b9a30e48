import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette

from service import serving
from service.clock import Clock
from service.config import Config
from service.errors import ConfigError
from service.workers import worker
from tests.conftest import free_port

OPEN_MS_MAX = 50_000  # on a busy machine two processes that start take their time
ROOT = Path(__file__).parents[2]


def refused(_config: Config) -> Starlette:
    raise ConfigError("AGENT: there is none")


def test_a_wrong_setting_is_one_line_and_its_own_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as door:
        config = Config.model_construct(log_level="INFO")
        assert worker.work(refused, config, [door]) == worker.WRONG_SETTING
    assert capsys.readouterr().err == "stayline: AGENT: there is none\n"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_command_serves_until_it_is_told_to_end(tmp_path: Path, workers: str) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "WEB_CONCURRENCY": workers,
        "STORE_URL": f"sqlite:///{tmp_path}/calls.db",
        "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
        "TWILIO_AUTH_TOKEN": "an auth token for tests",
        "PYTHONPATH": str(ROOT),
    }
    log = tmp_path / "log"
    with log.open("wb") as lines:
        running = subprocess.Popen(
            [sys.executable, "-m", "service", "serve"],
            cwd=tmp_path, env=environment, stdout=lines, stderr=lines,
        )  # fmt: skip
    try:
        assert answered(port, log).startswith(b"HTTP/1.1 200")
        assert (b"{worker=" in answered(port, log, b"/metrics")) == (workers == "2")
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0, log.read_text()
    finally:
        running.kill()
        running.wait()
    assert "Traceback" not in log.read_text()


def answered(port: int, log: Path, path: bytes = b"/healthz") -> bytes:
    """Return an answer; the port is open before the models are loaded."""
    clock = Clock()
    until_ms = clock.now_ms() + OPEN_MS_MAX
    while clock.now_ms() < until_ms:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as there:
                there.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path)
                return b"".join(iter(lambda: there.recv(65_536), b""))
        except ConnectionRefusedError:
            continue
    raise AssertionError(log.read_text())


class NoCalls:
    """A switchboard without calls."""

    let_go = 0

    def __len__(self) -> int:
        return 0


class Empty:
    """The parts of an application that nobody has called yet."""

    switchboard = NoCalls()


def test_what_stays_for_good_is_out_of_the_collectors_sight_once_it_serves() -> None:
    """R-18: to go through all modules takes 80 ms, in which no call would get a frame."""
    app = Starlette()
    app.state.parts = Empty
    server = serving.Server(serving.settings(app, stop_s=1, lifespan="off"))
    found: list[int] = []

    async def serve() -> None:
        found.append(gc.get_freeze_count())
        server.serving.set()
        for _ in range(3):
            await asyncio.sleep(0)
        found.append(gc.get_freeze_count())

    try:
        worker.run(server, serve())
    finally:
        gc.unfreeze()
    before, after = found
    assert after > before + 10_000
