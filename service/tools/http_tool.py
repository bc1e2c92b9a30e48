"""A tool behind HTTP: one call of it is one request, never repeated here.

The operation's key goes along as `Idempotency-Key` and the CallSid as `Stayline-Call`, so that the other
side can tell a repetition from a second wish. Arguments without a place in the URL are the JSON body of
POST, PUT and PATCH and the query of GET and DELETE. No redirect is followed.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

import httpx2
import msgspec

from service.outbound import client as outbound
from service.outbound.rules import Rules
from service.redaction import own_words
from service.tools.address import Address
from service.tools.answer import judged
from service.tools.terms import RESULT_BYTES_MAX, Outcome, ToolArguments, refused, unclear, unsent

KEY_HEADER = "Idempotency-Key"
CALL_HEADER = "Stayline-Call"
# An idle connection is dropped before the other side drops it, as many do after 5 s: a request that
# crosses with their closing could be sent and stay unanswered.
IDLE_S_MAX = 2.0
# The reading stops here: four signs of JSON's blanks for each that is kept.
ANSWER_BYTES_MAX = 4 * RESULT_BYTES_MAX
PIECE_BYTES_MAX = 1_048_576  # in which the reading notices that it is enough

Method = Literal["GET", "DELETE", "POST", "PUT", "PATCH"]
QUERYING = ("GET", "DELETE")

# The transport's words for a connection that stands and for the first byte that may leave us.
_CONNECTED = "connection.connect_tcp.complete"
_SENDING = "send_request_headers.started"

_log = logging.getLogger(__name__)


def open_client(rules: Rules) -> httpx2.AsyncClient:
    """Return the client that all HTTP tools of one toolbox share; whoever opens it closes it."""
    return outbound.open_client(
        rules,
        bytes_max=ANSWER_BYTES_MAX + PIECE_BYTES_MAX,
        timeout=httpx2.Timeout(None),  # each attempt has a deadline around everything
        limits=httpx2.Limits(keepalive_expiry=IDLE_S_MAX),  # the toolbox limits how many there are
    )


class HttpTool:
    """One tool behind a URL."""

    def __init__(
        self,
        http: httpx2.AsyncClient,
        method: Method,
        address: Address,
        headers: Mapping[str, str],
        *,
        is_idempotent: bool,
    ) -> None:
        self._http = http
        self._method = method
        self._address = address
        self._headers = headers
        self._is_idempotent = is_idempotent

    def check(self, arguments: dict[str, Any]) -> None:
        """Raise ToolArguments when these can't be put into the request."""
        self._address.filled(arguments, is_queried=self._method in QUERYING)

    async def call(
        self, arguments: dict[str, Any], *, key: str, call_sid: str, until: float
    ) -> Outcome:
        """Send one request and return what its answer means, at the latest at the loop's time `until`."""
        try:
            request = self._request(arguments, key=key, call_sid=call_sid)
        except ToolArguments as wrong:
            return refused(str(wrong))
        way = _Way()
        request.extensions["trace"] = way.note
        try:
            async with asyncio.timeout_at(until):
                return await self._exchange(request)
        except TimeoutError:
            trouble = "It gave no answer in time."
        except httpx2.HTTPError as error:
            trouble = f"The connection failed ({type(error).__name__})."
        finally:
            await way.leave()
        _log.warning(
            "! a tool's request failed: %s",
            own_words(trouble),
            extra={"action": "tool_failed", "call_sid": call_sid},
        )
        if way.has_begun:
            return unclear(trouble, is_idempotent=self._is_idempotent)
        return unsent(trouble)

    def _request(self, arguments: dict[str, Any], *, key: str, call_sid: str) -> httpx2.Request:
        is_queried = self._method in QUERYING
        url = self._address.filled(arguments, is_queried=is_queried)
        headers = httpx2.Headers({"accept": "application/json", "accept-encoding": "identity"})
        body = b""
        if not is_queried:
            body = msgspec.json.encode(self._address.rest(arguments))
            headers["content-type"] = "application/json"
        headers.update(self._headers)
        # A carrier's look-alike may use any sign in its identifiers; a header may not.
        headers.update({KEY_HEADER: quote(key, safe=":"), CALL_HEADER: quote(call_sid)})
        return self._http.build_request(self._method, url, headers=headers, content=body or None)

    async def _exchange(self, request: httpx2.Request) -> Outcome:
        answer = await self._http.send(request, stream=True)
        try:
            body = b""
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > ANSWER_BYTES_MAX:
                    break
        finally:
            await answer.aclose()
        return judged(
            answer.status_code,
            answer.headers,
            body[:ANSWER_BYTES_MAX],
            is_idempotent=self._is_idempotent,
            is_whole=len(body) <= ANSWER_BYTES_MAX,
        )


class _Way:
    """How far a request came: whether any byte of it may have left us, and through which connection."""

    def __init__(self) -> None:
        self.has_begun = False
        self._stream: Any = None

    async def note(self, event: str, told: Mapping[str, Any]) -> None:
        """Take one event of the transport."""
        if event == _CONNECTED:
            self._stream = told["return_value"]
        self.has_begun = self.has_begun or event.endswith(_SENDING)

    async def leave(self) -> None:
        """Close a connection that carried nothing: the client forgets one whose TLS handshake was cut."""
        if self._stream is not None and not self.has_begun:
            await self._stream.aclose()
