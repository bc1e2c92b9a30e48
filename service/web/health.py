"""Is it alive, is it ready, what has it counted."""

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from service.clock import Clock
from service.errors import StoreError
from service.journal.journal import Journal
from service.meter import Meter
from service.switchboard import Switchboard

CHECK_MS_MAX = 2_000  # a store slower than this is no place for calls

_NO_STORE = {"Cache-Control": "no-store"}


@dataclass(kw_only=True)
class Health:
    """The health of one application."""

    journal: Journal
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
        """New calls may come: the store was written to just now, and we are not going down."""
        store = await self._store()
        is_ready = store.get("status") == "ok" and not self.switchboard.is_draining
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

    async def _store(self) -> dict[str, str]:
        try:
            async with asyncio.timeout(CHECK_MS_MAX / 1000):
                durability = await self.journal.check(now_ms=self.clock.now_ms())
        except (StoreError, TimeoutError) as trouble:
            self.meter.store_errors.inc()
            return {"status": "down", "detail": str(trouble) or "no answer in time"}
        return {"status": "ok", "durability": durability.value}

    async def metrics(self, _request: Request) -> Response:
        """Prometheus' text format."""
        return Response(self.meter.text(), media_type="text/plain; version=0.0.4")
