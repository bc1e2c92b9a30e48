"""The figures of this process for charts, and the alerts that fire."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.call.shown.view import Json, timestamp
from service.clock import Clock
from service.errors import Refused
from service.sight.alerts import MEMORY, Alert, Alerts
from service.sight.history import STEP_MS, History, Point
from service.web.door.bearer import Bearers

MINUTES_MAX = 360  # as far back as points are kept
MINUTE_MS = 60_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """`GET /api/figures?minutes=60`: one point every ten seconds, and what fires now.

    Whoever watches the board is told each new point as it is made, by `post`; `ring` is told what fires
    then, and the moment.
    """

    history: History
    clock: Clock
    bearers: Bearers
    server: str
    post: Callable[[str, Json], None]
    ring: Callable[[Sequence[Alert], int], None]
    alerts: Alerts = field(default_factory=Alerts)

    def routes(self) -> list[Route]:
        """Return the route."""
        return [Route("/api/figures", self.figures, methods=["GET"])]

    async def run(self) -> None:
        """Close a step every STEP_MS, for ever."""
        while True:
            await asyncio.sleep(STEP_MS / 1000)
            self.step()

    def step(self) -> None:
        """Close the step that ends now, judge, and tell the watchers."""
        now_ms = self.clock.now_ms()
        point = self.history.tick(now_ms)
        self._share()
        firing = self.alerts.judge(self.history.since(now_ms - (MEMORY + 1) * STEP_MS))
        self.ring(firing, now_ms)
        self.post("figures", self._told((point,)))

    def _share(self) -> None:
        """Leave what is counted to the other processes at this port: whichever is asked tells it."""
        try:
            self.history.meter.share()
        except OSError as trouble:
            _log.warning(
                "! figures can't be shared: %s", type(trouble), extra={"action": "share_failed"}
            )

    async def figures(self, request: Request) -> Response:
        """Answer with the points of the last `minutes`, 1 to 360. Role viewer; counts only, no call."""
        self.bearers.admit(request, "viewer")
        asked = request.query_params.get("minutes", "60")
        if not (asked.isascii() and asked.isdigit() and 1 <= int(asked[:9]) <= MINUTES_MAX):
            raise Refused(400, "Bad request", f"minutes is a whole number from 1 to {MINUTES_MAX}.")
        return JSONResponse(
            self._told(self.history.since(self.clock.now_ms() - int(asked) * MINUTE_MS))
        )

    def _told(self, points: Sequence[Point]) -> Json:
        """Return these points and what fires now, JSON-ready."""
        firing: list[Json] = [
            {
                "name": one.name,
                "severity": one.severity,
                "since": timestamp(one.since_ms),
                "text": one.text,
            }
            for one in self.alerts.firing
        ]
        told: Json = {"server": self.server, "step_ms": STEP_MS, "alerts": firing}
        return {**told, "points": msgspec.to_builtins(list(points))}
