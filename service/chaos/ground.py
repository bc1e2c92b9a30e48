"""The ground of a run: callers, a proxy before the service, and the service: two servers of ours, or theirs.

callers ── webhooks ──> balancer ──> server 1, server 2 ── store
   └────── streams ──> proxy ─────────┘         └── shop (the tool)
"""

import asyncio
import secrets
import signal
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from service.chaos.callers.chance import chance
from service.chaos.callers.courier import Courier
from service.chaos.callers.crowd import Crowd, LightPhone
from service.chaos.judging.ledger import Ledger
from service.chaos.network.balancer import Balancer
from service.chaos.network.proxy import Proxy
from service.chaos.plan import Plan
from service.chaos.servers.server import Server, free_port
from service.chaos.servers.shop import Shop
from service.chaos.servers.store import Store, store
from service.clock import Clock
from service.simulator.account import Account
from service.simulator.credentials import Credentials

SERVERS = 2
LEAVE_S_MAX = 30.0
DROP_LIMIT = "1000/60"  # what is tested is coming back; giving up has its own tests


class Ground:
    """Everything of one run, for the length of an `async with`."""

    def __init__(self, plan: Plan, folder: Path, found: Credentials) -> None:
        self.plan = plan
        self.folder = folder
        self.clock = Clock()
        self.servers: list[Server] = []
        self.balancer = Balancer()
        self.shop = Shop()
        self.store: Store = store(plan.store, folder)
        self._found = found
        self._has_crowd = False
        account = Account(found.account_sid, found.auth_token)
        self.crowd = Crowd(
            account, media_ms=plan.media_ms, rest_port=plan.rest_port, is_local=plan.is_ours
        )
        weather = chance(plan.seed + 1)
        self.proxy = Proxy(
            self._choose,
            chance=chance(plan.seed + 2),
            clock=self.clock,
            weather=lambda: plan.weather(weather),
        )
        api = Courier() if plan.is_ours else None
        self._ledger: Callable[[str], Ledger] = lambda url: Ledger(
            url, found.api_token, transport=api
        )
        self.ledger: Ledger

    async def __aenter__(self) -> Self:
        try:
            await asyncio.to_thread(self.folder.mkdir, parents=True, exist_ok=True)
            await self.crowd.__aenter__()
            self._has_crowd = True
            await self.proxy.start()
            if self.plan.is_ours:
                await self._open()
                self.crowd.route(self.balancer.url)
                self.ledger = self._ledger(self.balancer.url)
            else:
                self.crowd.route(self.plan.server, self.plan.public_url)
                self.ledger = self._ledger(self.plan.server)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.ledger.close()
        await self._close()

    async def leave(self) -> None:
        """Let every caller hang up."""
        live = [phone.hang_up() for phone in self.crowd.callers if not phone.is_over]
        try:
            async with asyncio.timeout(LEAVE_S_MAX):
                await asyncio.gather(*live)
        except TimeoutError:
            pass  # The end of the run lets go of what is left.

    async def gather(self, calls: int) -> list[LightPhone]:
        """Let so many calls come."""
        return await self.crowd.gather(calls, via=self.proxy.place)

    def forget(self) -> None:
        """Let go of the calls that were, so that others may come."""
        self.crowd.callers.clear()
        self.ledger.forget()

    async def _open(self) -> None:
        await self.shop.start()
        await self.store.open()
        await self.balancer.start()
        tools = self.folder / "tools.json"
        await asyncio.to_thread(self.shop.describe, tools)
        self.servers = [
            Server(self.folder / f"server-{number}.log", self._environment(number, tools))
            for number in range(SERVERS)
        ]
        self.balancer.ports = [server.port for server in self.servers]
        await asyncio.gather(*(server.start() for server in self.servers))
        await self.balancer.look()

    async def _close(self) -> None:
        if self._has_crowd:
            await self.crowd.__aexit__(None, None, None)
        for server in self.servers:
            server.signal(signal.SIGCONT)
            await server.kill()
        await self.proxy.close()
        if self.plan.is_ours:
            await self.balancer.close()
        self.shop.close()
        await self.store.close()

    def _environment(self, number: int, tools: Path) -> dict[str, str]:
        return {
            "HOST": "127.0.0.1",
            "PORT": str(free_port()),
            "PUBLIC_URL": self.balancer.url,
            "TWILIO_ACCOUNT_SID": self._found.account_sid,
            "TWILIO_AUTH_TOKEN": self._found.auth_token,
            "TWILIO_API_URL": self.crowd.api_url,
            "API_TOKENS": f"{self._found.api_token}:admin",
            "STORE_URL": self.store.url,
            "WRITE_BEHIND": str(self.folder / f"behind-{number}"),
            "AGENT": self.plan.agent,
            "TOOLS": str(tools),
            "DROP_LIMIT": DROP_LIMIT,
            "FLEET_REMARK": "1",
            "LOG_LEVEL": "WARNING",
        }

    def _choose(self) -> tuple[str, int] | None:
        if self.plan.is_ours:
            port = self.balancer.choose()
            return ("127.0.0.1", port) if port else None
        parts = urlsplit(self.plan.server)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def own_credentials() -> Credentials:
    """Return the credentials of servers of our own, fresh for every run."""
    return Credentials("AC" + secrets.token_hex(16), secrets.token_hex(16), secrets.token_hex(16))
