"""A whole town for one test: real servers in processes of their own, a balancer, and an exchange.

    exchange (Twilio's stand-in) ──> balancer ──> server A, or server B …  ──> one store

The servers know only the balancer's address, as behind any load balancer, so a call's next stream can
be led to another server by `lead_to`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from service.simulator.account import Account
from service.simulator.exchange.exchange import Exchange
from service.simulator.phone import Phone
from tests.conftest import free_port
from tests.standins.valkey import Valkey

ROOT = Path(__file__).parent.parent.parent
AUDIO = ROOT / "fixtures" / "audio"
ACCOUNT = Account("AC" + "1" * 32, "an auth token for tests")
BEARER = "a bearer token for tests"
READY_S_MAX = 40.0

Json = dict[str, Any]


def audio(name: str) -> bytes:
    """Return a fixture's mu-law."""
    return (AUDIO / f"{name}.ulaw").read_bytes()


class Server:
    """One `stayline serve` in a process of its own."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.port = free_port()
        self._folder = folder
        self._environment = {**os.environ, **environment, "PORT": str(self.port)}
        self._running: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start and wait until it is ready."""
        with (self._folder / f"server-{self.port}.log").open("ab") as log:
            self._running = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "service", "serve",
                cwd=ROOT, env=self._environment, stdout=log, stderr=log,
            )  # fmt: skip
        async with asyncio.timeout(READY_S_MAX), httpx2.AsyncClient() as http:
            while True:
                assert self._running.returncode is None, self.log()
                with suppress(httpx2.HTTPError):
                    if (await http.get(f"{self.url}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """End it at once, with nothing written and nobody told."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """End it the ordinary way."""
        await self._end(signal.SIGTERM)

    def send(self, what: signal.Signals) -> None:
        """Send it a signal, and go on."""
        if self._running is not None and self._running.returncode is None:
            self._running.send_signal(what)

    @property
    def code(self) -> int | None:
        """How it ended; None while it runs."""
        return None if self._running is None else self._running.returncode

    async def _end(self, how: signal.Signals) -> None:
        self.send(how)
        if self._running is not None:
            await self._running.wait()

    def log(self) -> str:
        return (self._folder / f"server-{self.port}.log").read_text()


class Balancer:
    """Forwards each new connection to the server it is set to."""

    def __init__(self) -> None:
        self.target = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", 0)

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        there = asyncio.create_task(_pump(reader, back_writer))
        here = asyncio.create_task(_pump(back_reader, writer))
        try:
            await asyncio.wait({there, here}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in (there, here):
                one.cancel()
            writer.transport.abort() if _was_reset(there, here) else writer.close()
            back_writer.transport.abort() if _was_reset(there, here) else back_writer.close()


def _was_reset(*tasks: asyncio.Task[None]) -> bool:
    return any(task.done() and not task.cancelled() and task.exception() for task in tasks)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)
        await writer.drain()


class Town:
    """Servers, a balancer and an exchange, on one store."""

    def __init__(self, folder: Path, *, store_url: str = "", **settings: str) -> None:
        self._folder = folder
        self._store_url = store_url or f"sqlite:///{folder / 'stayline.db'}"
        self._settings = settings
        self.balancer = Balancer()
        self.exchange = Exchange(ACCOUNT)
        self.servers: list[Server] = []

    async def __aenter__(self) -> Self:
        await self.balancer.start()
        await self.exchange.__aenter__()
        self.exchange.route(self.balancer.url)
        try:
            self.lead_to(await self.open_server())
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
        await self.exchange.__aexit__(kind, error, trace)
        for server in self.servers:
            await server.kill()
        await self.balancer.close()

    async def open_server(self) -> Server:
        """Start one more server."""
        environment = {
            "HOST": "127.0.0.1",
            "PUBLIC_URL": self.balancer.url,
            "TWILIO_ACCOUNT_SID": ACCOUNT.account_sid,
            "TWILIO_AUTH_TOKEN": ACCOUNT.auth_token,
            "TWILIO_API_URL": self.exchange.api_url,
            "STORE_URL": self._store_url,
            "API_TOKENS": f"{BEARER}:admin",
            **self._settings,
        }
        server = Server(self._folder, environment)
        self.servers.append(server)
        await server.start()
        return server

    def lead_to(self, server: Server) -> None:
        """Lead new connections to this server."""
        self.balancer.target = server.port

    async def call(self, from_: str = "+15550001") -> Phone:
        """Let a phone ring, and wait until the agent is heard."""
        phone = await self.exchange.call(from_=from_)
        await phone.until(lambda it: it.agent_turns >= 1, "the agent greets")
        return phone

    async def state(self, phone: Phone) -> Json:
        """Return the call as the API shows it."""
        return await self._get(f"/api/calls/{phone.call_sid}")

    async def events(self, phone: Phone, kind: str = "") -> list[Json]:
        """Return the call's records, of one kind or all."""
        answer = await self._get(f"/api/calls/{phone.call_sid}/events")
        return [one for one in answer["events"] if kind in ("", one["kind"])]

    async def ask(self, phone: Phone, what: str, body: Json) -> int:
        """Ask something of the call; returns the HTTP status."""
        async with self._http() as http:
            answer = await http.post(f"/api/calls/{phone.call_sid}/{what}", json=body)
        return answer.status_code

    async def until(
        self, phone: Phone, holds: Callable[[Json], bool], description: str, timeout_s: float = 30
    ) -> None:
        """Wait until the call, as the API shows it, is as described."""
        found: Json = {}
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    found = await self.state(phone)
                    if holds(found):
                        return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"not: {description}\n{found}\n{phone.story()}") from None

    async def until_state(self, phone: Phone, key: str, value: object) -> None:
        """Wait until the API shows `value` at the dotted `key`."""

        def holds(found: object) -> bool:
            for part in key.split("."):
                found = found.get(part) if isinstance(found, dict) else None
            return found == value

        await self.until(phone, holds, f"{key} is {value!r}", 10)

    async def _get(self, path: str) -> Json:
        async with self._http() as http:
            answer = await http.get(path)
        assert answer.status_code == 200, answer.text
        shown: Json = answer.json()
        return shown

    def _http(self) -> httpx2.AsyncClient:
        url = f"http://127.0.0.1:{self.balancer.target}"
        return httpx2.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {BEARER}"})


@asynccontextmanager
async def founded(store: str, folder: Path, **settings: str) -> AsyncIterator[Town]:
    """A town on a SQLite file or on a Redis server of its own: `store` is "sqlite" or "redis"."""
    if store == "sqlite":
        async with Town(folder, **settings) as town:
            yield town
        return
    with Valkey(folder / "valkey") as server:
        async with Town(folder, store_url=server.url, **settings) as town:
            yield town
