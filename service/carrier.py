"""Outward REST to the carrier: what Stayline asks of a call while no TwiML is being read.

The official client does the talking, in a thread, against a configurable address. Twilio's answers
that matter here: 429 (20429) is never executed and always safe to repeat; 404 (20404) and 400 (21220)
mean that the call is over or gone.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from requests import RequestException
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from service.errors import CallGone, CarrierBusy, CarrierError
from service.pace import Pace

TIMEOUT_S = 5.0  # the caller waits meanwhile; Twilio answers an update within a second
ATTEMPTS_MAX = 5  # with the waits below, about 6 s in all
WAIT_MS_FIRST = 200  # doubled each time, with jitter
WAIT_MS_MAX = 3_000
AT_ONCE_MAX = 20  # the official figure for hand-overs; more at once is what earns a 429

UPDATES_A_S = 20  # each ends in a request for TwiML and a stream that somebody must take

CALLS_LISTED = 20  # the newest: more were not made to one number in a few seconds

_GONE_CODES = (20404, 21220)
_BUSY, _UNKNOWN = 429, 401
_UNREADABLE = (ValueError, TypeError, AttributeError)  # what the client makes of a strange answer

_log = logging.getLogger(__name__)


class Outward(Protocol):
    """What can be asked of a call's other side. See Carrier; every method may raise CarrierError."""

    async def run_twiml(self, call_sid: str, twiml: str) -> None:
        """Cut what the call is doing and run `twiml`."""
        ...

    async def redirect(self, call_sid: str, url: str) -> None:
        """Cut what the call is doing and have `url` asked for what comes next."""
        ...

    async def hang_up(self, call_sid: str) -> None:
        """End the call. A call that is over already is a success."""
        ...

    async def is_live(self, call_sid: str) -> bool:
        """Whether the call still goes on. Raises CallAway while only its other side can tell."""
        ...

    async def status(self, call_sid: str) -> str:
        """Return the word for how the call stands, "" for a call that is not known."""
        ...

    async def ring(self, to: str, from_: str, *, url: str, status_url: str, timeout_s: int) -> str:
        """Ring a number; who answers is led to `url`. Return the new call's name."""
        ...

    async def rung(self, to: str, from_: str, *, since_ms: int) -> str:
        """Return the newest call that we made from one number to another since then, "" for none."""
        ...


def warm() -> None:
    """Load what the official client loads when it is first asked something. Takes 0.7 s; any thread may.

    Else the first who redirects or hangs up waits for it, and all who talk share the interpreter with it.
    """
    Client("nobody", "nothing").calls("nothing")


class _Redirected(TwilioHttpClient):  # type: ignore[misc] # the official client is untyped
    """The official HTTP client, sent to another host: a compatible carrier, or a simulator."""

    def __init__(self, api_url: str) -> None:
        super().__init__(timeout=TIMEOUT_S)
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, HTTPAdapter(pool_maxsize=AT_ONCE_MAX))
        self._api_url = api_url.rstrip("/")

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Send the request to the same path under our address."""
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return super().request(method, f"{self._api_url}{path}", *args, **kwargs)


class Carrier:
    """What can be asked of the carrier about one call. Every method may raise CarrierError."""

    def __init__(
        self,
        account_sid: str,
        auth_tokens: Sequence[str],
        api_url: str,
        chance: random.Random,
        *,
        wait_ms_first: int = WAIT_MS_FIRST,
    ) -> None:
        # The newest first. While one is rotated, the carrier knows this one or that one.
        self._clients = [
            Client(account_sid, token, http_client=_Redirected(api_url)) for token in auth_tokens
        ]
        self._chance = chance
        self._wait_ms_first = wait_ms_first
        # Threads of its own: the loop's are fewer, and others wait for them.
        self._threads = ThreadPoolExecutor(AT_ONCE_MAX, "carrier")
        self._at_once = asyncio.Semaphore(AT_ONCE_MAX)
        self._pace = Pace(UPDATES_A_S)

    async def run_twiml(self, call_sid: str, twiml: str) -> None:
        """Cut what the call is doing and run `twiml` (at most 4,000 characters)."""
        await self._pace.wait()
        await self._ask(call_sid, lambda call: call.update(twiml=twiml))

    async def redirect(self, call_sid: str, url: str) -> None:
        """Cut what the call is doing and have the carrier ask `url` for TwiML."""
        await self._pace.wait()
        await self._ask(call_sid, lambda call: call.update(url=url, method="POST"))

    async def hang_up(self, call_sid: str) -> None:
        """End the call. A call that is over already is a success."""
        try:
            await self._ask(call_sid, lambda call: call.update(status="completed"))
        except CallGone:
            return

    async def is_live(self, call_sid: str) -> bool:
        """Whether the call still goes on."""
        try:
            found = await self._ask(call_sid, lambda call: call.fetch())
        except CallGone:
            return False
        return found.status in ("queued", "ringing", "in-progress")

    async def status(self, call_sid: str) -> str:
        """Return the carrier's word for how the call stands, "" for a call that it does not know."""
        try:
            found = await self._ask(call_sid, lambda call: call.fetch())
        except CallGone:
            return ""
        return str(found.status)

    async def ring(self, to: str, from_: str, *, url: str, status_url: str, timeout_s: int) -> str:
        """Ring a number; who answers is led to `url`. Return the new call's name.

        Asked again only after a 429, which was never executed: two calls would be one too many.
        """
        made = await self._ask(
            "",
            lambda calls: calls.create(
                to=to,
                from_=from_,
                url=url,
                method="POST",
                status_callback=status_url,
                status_callback_method="POST",
                timeout=timeout_s,
            ),
            is_passing=_is_busy,
        )
        return str(made.sid)

    async def rung(self, to: str, from_: str, *, since_ms: int) -> str:
        """Return the newest call that we made from one number to another since then, "" for none."""
        since = datetime.fromtimestamp(since_ms // 1_000, UTC)
        found = await self._ask(
            "", lambda calls: calls.list(to=to, from_=from_, limit=CALLS_LISTED)
        )
        ours = (
            one
            for one in found
            if str(one.direction).startswith("outbound")
            and one.date_created is not None
            and one.date_created >= since
        )
        return next((str(one.sid) for one in ours), "")

    async def _ask(
        self,
        call_sid: str,
        ask: Any,
        *,
        is_passing: Callable[[CarrierError], bool] | None = None,
    ) -> Any:
        may_repeat = is_passing or _is_passing
        wait_ms = self._wait_ms_first
        attempt = 1
        while True:
            try:
                async with self._at_once:
                    return await asyncio.get_running_loop().run_in_executor(
                        self._threads, copy_context().run, self._asked, call_sid, ask
                    )
            except (TwilioException, RequestException, *_UNREADABLE) as trouble:
                error = _error(trouble)
                if isinstance(error, CallGone) or not may_repeat(error):
                    raise error from trouble
                if attempt == ATTEMPTS_MAX:
                    raise CarrierBusy(str(error), status=error.status) from trouble
            _log.warning(
                "! the carrier is busy, attempt %d",
                attempt,
                extra={"action": "carrier_retry"},
            )
            await asyncio.sleep((wait_ms + self._chance.randint(0, wait_ms)) / 1000)
            wait_ms = min(2 * wait_ms, WAIT_MS_MAX)
            attempt += 1

    def _asked(self, call_sid: str, ask: Callable[[Any], Any]) -> Any:
        """Ask of one call, or of all without a name, with the newest token that is taken. In a thread."""
        *newer, oldest = self._clients
        for client in newer:
            try:
                return ask(client.calls(call_sid) if call_sid else client.calls)
            except TwilioException as trouble:
                if getattr(trouble, "status", 0) != _UNKNOWN:  # a 401 was never executed
                    raise
        return ask(oldest.calls(call_sid) if call_sid else oldest.calls)


def _error(trouble: Exception) -> CarrierError:
    status, code = (_number(getattr(trouble, name, 0)) for name in ("status", "code"))
    if not status:
        return CarrierError(f"the carrier's API can't be reached: {type(trouble).__name__}")
    # Only the carrier's own code proves it: a bare 404 may come from anything on the way.
    kind = CallGone if code in _GONE_CODES else CarrierError
    return kind(f"the carrier answered {status}, code {code}", status=status, code=code)


def _number(value: object) -> int:
    """A carrier that only looks like Twilio may send any code, or none."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else 0


def _is_busy(error: CarrierError) -> bool:
    return error.status == _BUSY


def _is_passing(error: CarrierError) -> bool:
    """429 was never executed; 5xx and no answer may have been, but every request here may repeat."""
    return error.status in (0, _BUSY) or error.status >= 500  # noqa: PLR2004 - HTTP's own number
