"""Is it alive, is it ready, what has it counted."""

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from service.clock import Clock
from service.errors import StoreError
from service.journal.behind.arrears import Status
from service.journal.behind.bridge import Bridge
from service.journal.values import Durability
from service.meter import Meter
from service.switchboard.switchboard import Switchboard

CHECK_MS_MAX = 2_000  # a store slower than this is no place for calls

_NO_STORE = {"Cache-Control": "no-store"}


@dataclass(kw_only=True)
class Health:
    """The health of one application."""

    journal: Bridge
    clock: Clock
    meter: Meter
    speech: str
    switchboard: Switchboard

    def routes(self) -> list[Route]:
        """Return the health routes."""
        return [
            Route("/healthz", self.alive, methods=["GET"]),
            Route("/livez", self.alive, methods=["GET"]),
            Route("/readyz", self.ready, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]

    async def alive(self, _request: Request) -> Response:
        """The loop answers."""
        return PlainTextResponse("ok\n", headers=_NO_STORE)

    async def ready(self, _request: Request) -> Response:
        """New calls may come: we are not going down, and what they write is kept somewhere.

        A store that is away is `degraded` while there is room to go on without it, `down` after.
        """
        store = await self._store()
        is_ready = store["status"] != Status.DOWN and not self.switchboard.is_draining
        parts = {
            "store": store,
            "draining": self.switchboard.is_draining,
            "speech": self.speech,
        }
        body = {
            "status": "ready" if is_ready else "not ready",
            "server": self.switchboard.owner,
            "parts": parts,
        }
        return JSONResponse(body, 200 if is_ready else 503, headers=_NO_STORE)

    async def _store(self) -> dict[str, object]:
        told: dict[str, object] = {}
        try:
            async with asyncio.timeout(CHECK_MS_MAX / 1000):
                told["durability"] = await self.journal.check(now_ms=self.clock.now_ms())
        except (StoreError, TimeoutError) as trouble:
            is_whole = self.journal.is_whole
            told["durability"] = Durability.LOCAL if is_whole else Durability.MEMORY
            told["detail"] = str(trouble) or "no answer in time"
        self.journal.judge()
        behind = self.journal.arrears
        return {
            "status": self.journal.status,
            **told,
            "behind": {
                "calls": behind.calls,
                "records": behind.records,
                "bytes": behind.bytes,
                "oldest_ms": behind.oldest_ms,
            },
        }

    async def metrics(self, _request: Request) -> Response:
        """Prometheus' text format."""
        return Response(self.meter.text(), media_type="text/plain; version=0.0.4")
