"""A signed webhook's form: read within bounds, checked, and turned into pairs."""

import json
from urllib.parse import parse_qsl, unquote_to_bytes

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response

from service import scope
from service.clock import Clock
from service.errors import Refused
from service.meter import Meter
from service.protocol.nesting import DEPTH_MAX, is_too_deep
from service.web.door.manners import SIGNATURE, Asked, Manners

BODY_BYTES_MAX = 65_536  # Twilio's largest voice webhook is under 4 KiB
FIELDS_MAX = 400  # several times the documented set


class SignedForm:
    """Admits webhooks that the carrier signed for our account."""

    def __init__(self, manners: Manners, account_sid: str, meter: Meter, clock: Clock) -> None:
        self._manners = manners
        self._account_sid = account_sid
        self._meter = meter
        self._clock = clock

    @property
    def methods(self) -> list[str]:
        """By which methods the carrier asks."""
        return self._manners.methods

    async def read(self, request: Request) -> list[tuple[str, str]]:
        """Return the form's pairs, in Twilio's words. Raises Refused (400, 403, 413, 415) with one clear sentence."""
        body = await body_within(request, BODY_BYTES_MAX)
        pairs = _pairs(request, body)
        path, query = raw_target(request.scope)
        asked = Asked(
            headers=request.headers,
            path=path,
            query=query,
            pairs=pairs,
            body=body,
            now_ms=self._clock.now_ms(),
        )
        header = self._manners.header
        if not self._manners.is_signed(asked):
            self._meter.refused.labels(door="webhook").inc()
            is_missing = header not in request.headers
            why = "is missing" if is_missing else "does not fit this request and PUBLIC_URL"
            raise Refused(403, "Forbidden", f"The {header.title()} header {why}.")
        pairs = self._manners.read(pairs if request.method == "POST" else _queried(query))
        told = dict(pairs)
        if "CallSid" in told:
            scope.of_call(told["CallSid"])
        account = told.get("AccountSid", "")
        if self._account_sid and account and account != self._account_sid:
            self._meter.refused.labels(door="webhook").inc()
            raise Refused(403, "Forbidden", "The AccountSid is not the one served here.")
        return pairs

    def answer(self, document: str) -> Response:
        """Return one of our documents as the carrier reads it."""
        return self._manners.answer(document)


def proof_of(connection: HTTPConnection) -> tuple[str | None, str]:
    """Return the signature of a request or an upgrade, and what its sender says of the key."""
    headers = connection.headers
    return headers.get(SIGNATURE), headers.get("x-twilio-webhooks-signature-settings", "")


def host_of(connection: HTTPConnection) -> str:
    """Return the address of whoever asks, as the proxies that we trust say it; "" when nobody says."""
    return connection.client.host if connection.client else ""


def raw_target(scope: object) -> tuple[str, str]:
    """Return path and query exactly as they were on the wire: signatures cover them undecoded.

    The path is the one inside this application: without where another one has it mounted, and without a
    root path that the server was told of. Both are the public URL's to name.
    """
    assert isinstance(scope, dict)
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    path = _inside(raw_path.partition(b"?")[0], scope.get("root_path", "").rstrip("/"))
    return path.decode("latin-1"), scope["query_string"].decode("latin-1")


def _inside(raw_path: bytes, root_path: str) -> bytes:
    """Cut off the root path, which stands there decoded; some servers have cut it off before."""
    if not root_path:
        return raw_path
    at = -1
    for _ in range(root_path.count("/") + 1):
        at = raw_path.find(b"/", at + 1)
        if at < 0:
            return raw_path
    return raw_path[at:] if unquote_to_bytes(raw_path[:at]) == root_path.encode() else raw_path


async def body_within(request: Request, bytes_max: int) -> bytes:
    """Return the request's body. Raises Refused 413 over `bytes_max`, 400 when it breaks off."""
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > bytes_max:
                raise Refused(413, "Content too large", f"At most {bytes_max} bytes are read.")
    except ClientDisconnect as gone:
        raise Refused(400, "Bad request", "The request ended before its body did.") from gone
    return bytes(body)


async def json_within(request: Request, bytes_max: int) -> object:
    """Return the JSON value in the body. Raises Refused 413 over `bytes_max`, 400 for whatever is none."""
    body = await body_within(request, bytes_max)
    if is_too_deep(body):
        raise Refused(400, "Bad request", f"The body has more than {DEPTH_MAX} levels.")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as trouble:
        raise Refused(400, "Bad request", "The body is not JSON.") from trouble


def _queried(query: str) -> list[tuple[str, str]]:
    """Return the fields of a webhook that is a GET (Exotel)."""
    return parse_qsl(query, keep_blank_values=True, errors="replace")[:FIELDS_MAX]


def _pairs(request: Request, body: bytes) -> list[tuple[str, str]]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != "application/x-www-form-urlencoded":
        raise Refused(
            415, "Unsupported media type", "Webhooks are application/x-www-form-urlencoded."
        )
    try:
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError as trouble:
        raise Refused(400, "Bad request", f"The form can't be read: {trouble}.") from trouble
