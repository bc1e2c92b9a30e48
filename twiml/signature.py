"""Whether a request was signed with our auth token ("Twilio: webhooks security").

    signature = base64(HMAC-SHA1(auth token, URL + every name and value of the form))

Rules of this file:
1. The URL is the configured public URL followed by the raw path and raw query of the request. Host and
   forwarded headers never come in here, so a poisoned one can change nothing.
2. Path and query are taken exactly as sent, never decoded and encoded again. A reverse proxy that
   strips the public URL's own path prefix hands us the rest; `raw_path` is that rest, and the prefix
   is put back before it.
3. Twilio drops `user:password@` and, on HTTPS, the port, but not consistently: each URL is tried without
   a port and with the configured or else the scheme's default one.
4. An upgrade is signed over `wss://…`, at times with a `/` after it; some look-alike carriers sign `https://…`.
5. No input raises: whatever is missing, garbled or not ASCII is simply not a valid signature.

The official RequestValidator is not used: it takes port 80 for `wss`, breaks on IPv6 and credentials,
and raises on a missing signature or a body of bytes.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qs, parse_qsl

BODY_HASH_PARAMETER = "bodySHA256"

_PUBLIC_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?:[^\s/?#@]*@)?"  # credentials: not a part of what Twilio signs
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s/:?#@\[\]]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<prefix>/[^\s?#]*)?"
)
_DEFAULT_PORTS = {"https": "443", "wss": "443", "http": "80", "ws": "80"}
_UPGRADE_SCHEMES = {"https": "wss", "http": "ws"}


class Verifier:
    """Checks signatures against one public URL and any of several auth tokens.

    `auth_tokens` holds the current one and, while rotating, the others that still count. `public_url`
    is where the outside world finds the root of this application: `https://calls.example.com` or
    `https://example.com/calls`; a slash at its end means nothing. ValueError when either is unusable.

    Every check takes `raw_path` as the server received it (percent-encoded, beginning with `/`) and
    `raw_query` without its question mark, and answers with a bool; none of them ever raises.
    """

    def __init__(self, auth_tokens: Sequence[str], public_url: str) -> None:
        if not auth_tokens or not all(auth_tokens):
            raise ValueError("At least one auth token is needed, and none may be empty.")
        found = _PUBLIC_URL.fullmatch(public_url)
        if found is None:
            raise ValueError(
                "The public URL must be http(s)://host[:port][/path], without a query."
            )
        self._keys = tuple(_encoded(token) for token in auth_tokens)
        self._scheme = found["scheme"]
        self._host = found["host"]
        self._port = found["port"]
        self._prefix = (found["prefix"] or "").rstrip("/")

    def check_form(
        self,
        raw_path: str,
        raw_query: str,
        pairs: Sequence[tuple[str, str]],
        signature: str | None,
    ) -> bool:
        """Check a form POST; `pairs` are all its fields, unknown and repeated ones too."""
        target = raw_path + _question(raw_query)
        return self._is_signed(self._urls(self._scheme, target), _joined(pairs), signature)

    def check_get(self, raw_path: str, raw_query: str, signature: str | None) -> bool:
        """Check a GET: the URL alone is signed, its query included."""
        return self.check_form(raw_path, raw_query, (), signature)

    def check_json(self, raw_path: str, raw_query: str, body: bytes, signature: str | None) -> bool:
        """Check a POST of JSON: the signed query must carry the SHA-256 of exactly this body."""
        claimed = parse_qs(raw_query).get(BODY_HASH_PARAMETER, [])
        if len(claimed) != 1:
            return False
        actual = hashlib.sha256(body).hexdigest()
        is_this_body = hmac.compare_digest(_encoded(claimed[0].lower()), actual.encode())
        return self.check_get(raw_path, raw_query, signature) and is_this_body

    def check_upgrade(self, raw_path: str, raw_query: str, signature: str | None) -> bool:
        """Check a WebSocket handshake. Twilio sends no query; one that came must be signed as well."""
        scheme = _UPGRADE_SCHEMES[self._scheme]
        paths = [raw_path] if raw_path.endswith("/") else [raw_path, raw_path + "/"]
        bare = [url for path in paths for url in self._urls(scheme, path)]
        bare += self._urls(self._scheme, raw_path)
        if not raw_query:
            return self._is_signed(bare, "", signature)
        # Twilio's own agent library signs a query as if it were a form; others sign the whole URL.
        as_form = _joined(parse_qsl(raw_query, keep_blank_values=True))
        whole = [url + _question(raw_query) for url in bare]
        return self._is_signed(bare, as_form, signature) or self._is_signed(whole, "", signature)

    def _urls(self, scheme: str, target: str) -> list[str]:
        """List the URLs that the carrier may have signed for one target, by rule 3."""
        if not target.startswith("/"):
            return []  # it would run on into the host name
        port = self._port or _DEFAULT_PORTS[scheme]
        hosts = (self._host, f"{self._host}:{port}")
        return [f"{scheme}://{host}{self._prefix}{target}" for host in hosts]

    def _is_signed(self, urls: Iterable[str], fields: str, signature: str | None) -> bool:
        if signature is None:
            return False
        given = _encoded(signature)
        return any(
            hmac.compare_digest(_signature(key, url + fields), given)
            for key in self._keys
            for url in urls
        )


def _signature(key: bytes, text: str) -> bytes:
    return base64.b64encode(hmac.new(key, _encoded(text), hashlib.sha1).digest())


def _joined(pairs: Sequence[tuple[str, str]]) -> str:
    """Join a form as it is signed: sorted by name, then value; equal pairs count once."""
    return "".join(name + value for name, value in sorted(set(pairs)))


def _question(raw_query: str) -> str:
    return f"?{raw_query}" if raw_query else ""


def _encoded(text: str) -> bytes:
    """Encode any str, lone surrogates included: they fail the comparison, not the request."""
    return text.encode("utf-8", "surrogatepass")
