"""Asking the service what to do, and telling it what happened: signed forms, as Twilio sends them.

    ask   a document is wanted     Answer | Failure      retried after a TCP failure, 15 s in all
    tell  a status callback        the HTTP status       one attempt, its answer means nothing

The connection overrides `#rc=` and `#rp=` of a URL's fragment are obeyed ("Webhooks: connection overrides").
"""

import asyncio
import functools
import ssl
import uuid
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import msgspec

from service.clock import Clock
from service.simulator import signing
from service.simulator.account import Account, Number
from service.simulator.twiml.document import Document, Warned, read
from service.simulator.twiml.markup import DOCUMENT_BYTES_MAX, DocumentError

TOTAL_MS_MAX = 15_000  # Twilio's limit for a voice webhook, TCP included
CONNECT_MS_MAX = 5_000  # Twilio's connect timeout
RETRIES_DEFAULT = 1  # Twilio's `rc`
RETRIES_MAX = 5
RETRY_PAUSE_MS = 250  # the page names no pause; without one, a restarting server never had a chance
TELL_MS_MAX = 5_000  # nobody waits for a callback's answer

MALFORMED, REFUSED, UNREACHABLE, UNREADABLE = 11_100, 11_200, 11_205, 12_100
WRONG_CONTENT = 12_300

Fields = list[tuple[str, str]]


@functools.cache
def trust() -> ssl.SSLContext:
    """Return the certificates that all our HTTP clients trust; reading them takes 25 ms, so once."""
    return httpx2.create_ssl_context()


class Answer(msgspec.Struct, frozen=True):
    """A document and the public URL that it came from; `took_ms` is the time of the whole request."""

    url: str
    document: Document
    took_ms: int = 0


class Failure(msgspec.Struct, frozen=True):
    """No document: Twilio's error code and a sentence."""

    url: str
    code: int
    text: str


class Webhooks:
    """Twilio's HTTP client, for one account; `transport` is another way to move its requests."""

    def __init__(
        self, account: Account, clock: Clock, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self._account = account
        self._clock = clock
        self._client = httpx2.AsyncClient(
            transport=transport,
            verify=trust(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx2.Timeout(TOTAL_MS_MAX / 1_000, connect=CONNECT_MS_MAX / 1_000),
            headers={"User-Agent": "TwilioProxy/1.1"},
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def ask(
        self, number: Number, url: str, fields: Fields, method: str = "POST"
    ) -> Answer | Failure:
        """Request the document at a public URL. Never raises for what the service does, never waits over 15 s."""
        if not _is_url(url):
            return Failure(url, MALFORMED, "this is no URL")
        retries, on_error = _overrides(url)
        token = str(uuid.uuid4())
        began_ms = self._clock.now_ms()
        outcome: Answer | Failure = Failure(url, REFUSED, "no answer within 15 s")
        try:
            async with asyncio.timeout(TOTAL_MS_MAX / 1_000):
                for attempt in range(retries + 1):
                    if attempt:
                        await asyncio.sleep(RETRY_PAUSE_MS / 1_000)
                    outcome = await self._once(number, url, fields, method, token)
                    if not (isinstance(outcome, Failure) and outcome.code in on_error):
                        break
        except TimeoutError:
            pass
        if isinstance(outcome, Answer):
            return msgspec.structs.replace(outcome, took_ms=self._clock.now_ms() - began_ms)
        return outcome

    async def tell(self, number: Number, url: str, fields: Fields, method: str = "POST") -> int:
        """Send a status callback; returns the HTTP status of the answer, 0 when there was none."""
        if not _is_url(url):
            return 0
        try:
            async with asyncio.timeout(TELL_MS_MAX / 1_000):
                response = await self._client.send(self._request(number, url, fields, method, ""))
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError):
            return 0
        return response.status_code

    async def _once(
        self, number: Number, url: str, fields: Fields, method: str, token: str
    ) -> Answer | Failure:
        try:
            response = await self._client.send(
                self._request(number, url, fields, method, token), stream=True
            )
            body = await _bounded(response)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            return Failure(url, UNREACHABLE, f"no connection: {error}")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return Failure(url, REFUSED, f"no answer: {type(error).__name__} {error}")
        if response.status_code not in range(200, 300):
            return Failure(url, REFUSED, f"HTTP {response.status_code}")
        try:
            document = read(body)
        except DocumentError as error:
            return Failure(url, UNREADABLE, str(error))
        return Answer(url, _checked(document, response.headers.get("content-type", "")))

    def _request(
        self, number: Number, url: str, fields: Fields, method: str, token: str
    ) -> httpx2.Request:
        if method == "GET":
            mark = "&" if urlsplit(url).query else "?"
            url, fields = url.partition("#")[0] + mark + urlencode(fields), []
        sign = signing.signature(self._account.auth_token, signing.signed_url(url), fields)
        headers = {signing.HEADER: sign}
        if token:
            headers["I-Twilio-Idempotency-Token"] = token
        if method == "GET":
            return self._client.build_request("GET", number.dialled(url), headers=headers)
        headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        return self._client.build_request(
            "POST", number.dialled(url), content=urlencode(fields).encode(), headers=headers
        )


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _overrides(url: str) -> tuple[int, set[int]]:
    asked = parse_qs(urlsplit(url).fragment)
    count = asked.get("rc", [""])[-1]
    retries = min(int(count), RETRIES_MAX) if count.isdecimal() else RETRIES_DEFAULT
    policies = set(asked.get("rp", ["ct"])[-1].split(","))
    return retries, {UNREACHABLE} | ({REFUSED} if policies & {"all", "rt", "4xx", "5xx"} else set())


async def _bounded(response: httpx2.Response) -> bytes:
    body = b""
    try:
        async for part in response.aiter_bytes():
            body += part
            if len(body) > DOCUMENT_BYTES_MAX:
                break
    finally:
        await response.aclose()
    return body


def _checked(document: Document, content_type: str) -> Document:
    if content_type.partition(";")[0].strip().lower() in {"text/xml", "application/xml"}:
        return document
    warned = Warned(
        WRONG_CONTENT, "the document's content type is neither text/xml nor application/xml"
    )
    return msgspec.structs.replace(document, warnings=(*document.warnings, warned))
