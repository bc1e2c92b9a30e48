"""One server of ours in a process of its own, always on the same port: to be killed, frozen, started again."""

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import httpx2

from service.chaos.waiting import until
from service.clock import Clock
from service.errors import StaylineError
from service.simulator.webhook import trust

READY_S_MAX = 60.0  # a busy machine; a calm one needs two
EXIT_S_MAX = 60.0  # a server that takes longer is killed
ASK_S_MAX = 5.0
LOG_SHOWN_MAX = 2_000  # letters: the end of a log says why it ended
SERVED = "service.chaos.servers.served"

_ROOT = Path(__file__).parents[3]


class NotServed(StaylineError):
    """A server of ours did not start; the message ends with what it wrote."""


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class Server:
    """A server. `module` is run with this environment, which must name its PORT."""

    def __init__(self, log: Path, environment: dict[str, str], module: str = SERVED) -> None:
        self.port = int(environment["PORT"])
        self._log = log
        self._module = module
        # An agent of one's own lies where the command was given.
        places = [str(_ROOT), str(Path.cwd()), os.environ.get("PYTHONPATH", "")]
        path = os.pathsep.join(filter(None, places))
        self._environment = os.environ | environment | {"PYTHONPATH": path}
        self._clock = Clock()
        self._running: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Return the process that runs now, or ran last."""
        assert self._running is not None
        return self._running.pid

    async def start(self) -> None:
        """Start and wait until it is ready. Raises NotServed."""
        with self._log.open("ab") as log:
            self._running = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self._module,
                cwd=self._log.parent, env=self._environment, stdout=log, stderr=log,
            )  # fmt: skip
        if not await until(self._is_ready, within_s=READY_S_MAX):
            raise self._failed("is not ready in time")

    async def _is_ready(self) -> bool:
        assert self._running is not None
        if self._running.returncode is not None:
            raise self._failed(f"ended with {self._running.returncode}")
        return await self.ask("/readyz") == httpx2.codes.OK

    def _failed(self, how: str) -> NotServed:
        return NotServed(f"the server on port {self.port} {how}: {self.log()[-LOG_SHOWN_MAX:]}")

    async def stop(self) -> int:
        """End it with SIGTERM; returns how many milliseconds it took to exit."""
        began_ms = self._clock.now_ms()
        self.signal(signal.SIGTERM)
        assert self._running is not None
        try:
            async with asyncio.timeout(EXIT_S_MAX):
                await self._running.wait()
        except TimeoutError:
            await self.kill()
        return self._clock.now_ms() - began_ms

    async def kill(self) -> None:
        """End it at once, with nothing written and nobody told."""
        if self._running is not None and self._running.returncode is None:
            self._running.kill()
            await self._running.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self._running is not None and self._running.returncode is None:
            self._running.send_signal(number)

    async def ask(self, path: str) -> int:
        """Return the status of a path's answer, 0 for none."""
        answer = await self._get(path)
        return 0 if answer is None else answer.status_code

    async def has_store(self) -> bool:
        """Say whether it is ready and goes on with its store, not without it for a while."""
        answer = await self._get("/readyz")
        if answer is None or answer.status_code != httpx2.codes.OK:
            return False
        store = answer.json()["parts"]["store"]
        return bool(store["status"] == "ok" and not store["behind"]["records"])

    async def _get(self, path: str) -> httpx2.Response | None:
        url = f"http://127.0.0.1:{self.port}"
        with suppress(httpx2.HTTPError):
            async with httpx2.AsyncClient(
                base_url=url, verify=trust(), trust_env=False, timeout=ASK_S_MAX
            ) as http:
                return await http.get(path)
        return None

    def log(self) -> str:
        """Return what it wrote."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""
