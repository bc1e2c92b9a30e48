"""Tells one endpoint of alerts that begin and end, for those who watch without Prometheus.

    POST ALERT_URL   Authorization: Bearer ALERT_TOKEN
    {"server": "…", "alert": "store_degraded", "status": "firing", "severity": "critical",
     "since": "2026-11-22T01:00:00.000Z", "at": "2026-11-22T01:00:10.000Z", "text": "Calls go on without …"}

`status` is "firing" or "resolved". Each server tells of its own; what could not be told in four tries is
given up with a log line, and the next one is told. Nothing of a call is in it.
"""

import asyncio
import logging
from collections.abc import Sequence

import httpx2

from service.call.shown.view import Json, timestamp
from service.outbound.client import open_client
from service.outbound.rules import Rules
from service.sight.alerts import Alert

ANSWER_S_MAX = 10
ANSWER_BYTES_MAX = 65_536  # nobody reads it; some answer with a page
WAITING_MAX = 64  # rules are few: more would be the same ones, on and off
PAUSES_S = (1.0, 5.0, 25.0)  # between tries: a receiver that restarts is back by then

_log = logging.getLogger(__name__)


class Bell:
    """The bell behind ALERT_URL. `run` tells, for as long as it runs; `hear` never waits."""

    def __init__(
        self,
        url: str,
        token: str,
        rules: Rules,
        server: str,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._rules = rules
        self._server = server
        self._pauses_s = tuple(pauses_s)
        self._firing: dict[str, Alert] = {}
        self._news: asyncio.Queue[Json] = asyncio.Queue(WAITING_MAX)

    def hear(self, firing: Sequence[Alert], now_ms: int) -> None:
        """Take what fires now. What is new in it, and what is gone from it, is told."""
        now = {one.name: one for one in firing}
        for name, alert in self._firing.items():
            if name not in now:
                self._tell(alert, "resolved", now_ms)
        for name, alert in now.items():
            if name not in self._firing:
                self._tell(alert, "firing", now_ms)
        self._firing = now

    def _tell(self, alert: Alert, status: str, now_ms: int) -> None:
        if not self._url:
            return
        if self._news.full():
            self._news.get_nowait()
            _log.warning("! too many alerts wait", extra={"action": "alert_given_up"})
        self._news.put_nowait(
            {
                "server": self._server,
                "alert": alert.name,
                "status": status,
                "severity": alert.severity,
                "since": timestamp(alert.since_ms),
                "at": timestamp(now_ms),
                "text": alert.text,
            }
        )

    async def run(self) -> None:
        """Tell each news in its turn, for ever."""
        while True:
            news = await self._news.get()
            for pause_s in (0.0, *self._pauses_s):
                await asyncio.sleep(pause_s)
                if await self._is_taken(news):
                    break
            else:
                _log.error("! an alert could not be told", extra={"action": "alert_given_up"})

    async def _is_taken(self, news: Json) -> bool:
        rules, timeout = self._rules.naming(self._url), httpx2.Timeout(ANSWER_S_MAX)
        try:
            async with (
                asyncio.timeout(ANSWER_S_MAX),
                open_client(rules, bytes_max=ANSWER_BYTES_MAX, timeout=timeout) as http,
            ):
                answer = await http.post(self._url, json=news, headers=self._headers)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as trouble:
            _log.warning("! the bell failed: %s", type(trouble), extra={"action": "bell_failed"})
            return False
        if not answer.is_success:
            _log.warning("! the bell: %d", answer.status_code, extra={"action": "bell_failed"})
        return answer.is_success
