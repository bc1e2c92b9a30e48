"""Whether a request was signed for us ("Twilio: webhooks security", "sign webhooks with shared keys").

    signature = base64(HMAC-SHA1(auth token, URL + every name and value of the form))
    signature = base64(HMAC-SHA256(shared key, the same)), and a header that names the key

Rules of this file:
1. The URL is the configured public URL followed by the raw path and raw query of the request. Host and
   forwarded headers never come in here, so a poisoned one can change nothing.
2. Path and query are taken exactly as sent, never decoded and encoded again. A reverse proxy that
   strips the public URL's own path prefix hands us the rest; `raw_path` is that rest, and the prefix
   is put back before it.
3. Twilio drops `user:password@` and, on HTTPS, the port, but not consistently: each URL is tried without
   a port and with the configured or else the scheme's default one.
4. An upgrade is signed over `wss://…`, at times with a `/` after it; some look-alike carriers sign `https://…`.
5. A key is good for one algorithm: an auth token for SHA-1, a shared key for SHA-256. What the header says
   of the algorithm can only be wrong; it chooses nothing.
6. No input raises: whatever is missing, garbled or not ASCII is simply not a valid signature.

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
TOKEN_ALGORITHM, SHARED_ALGORITHM = "HMAC_SHA1", "HMAC_SHA256"  # what each kind of key is good for

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
    """Checks signatures against one public URL and any of several auth tokens and shared keys.

    `auth_tokens` holds the current one and, while rotating, the others that still count. `shared_keys` are
    pairs of a key's name and its secret; a name may come twice, with two secrets. `public_url` is where the outside world finds the root of this application: `https://calls.example.com` or
    `https://example.com/calls`; a slash at its end means nothing. ValueError when either is unusable.

    Every check takes `raw_path` as the server received it (percent-encoded, beginning with `/`) and
    `raw_query` without its question mark, `settings` as the header X-Twilio-Webhooks-Signature-Settings
    says it ("" without one), and answers with a bool; none of them ever raises.
    """

    def __init__(
        self,
        auth_tokens: Sequence[str],
        public_url: str,
        shared_keys: Sequence[tuple[str, str]] = (),
    ) -> None:
        if not auth_tokens or not all(auth_tokens):
            raise ValueError("At least one auth token is needed, and none may be empty.")
        if not all(name and secret for name, secret in shared_keys):
            raise ValueError("A shared key has a name and a secret.")
        found = _PUBLIC_URL.fullmatch(public_url)
        if found is None:
            raise ValueError(
                "The public URL must be http(s)://host[:port][/path], without a query."
            )
        self._keys = tuple((_encoded(token), "sha1") for token in auth_tokens)
        self._shared = tuple((name, _encoded(secret)) for name, secret in shared_keys)
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
        settings: str = "",
    ) -> bool:
        """Check a form POST; `pairs` are all its fields, unknown and repeated ones too."""
        urls = self._urls(self._scheme, raw_path + _question(raw_query))
        return self._is_signed(urls, _joined(pairs), signature, settings)

    def check_get(
        self, raw_path: str, raw_query: str, signature: str | None, settings: str = ""
    ) -> bool:
        """Check a GET: the URL alone is signed, its query included."""
        return self.check_form(raw_path, raw_query, (), signature, settings)

    def check_json(
        self, raw_path: str, raw_query: str, body: bytes, signature: str | None, settings: str = ""
    ) -> bool:
        """Check a POST of JSON: the signed query must carry the SHA-256 of exactly this body."""
        claimed = parse_qs(raw_query).get(BODY_HASH_PARAMETER, [])
        # No secret is compared here: whoever sends a body can hash it.
        is_this_body = [one.lower() for one in claimed] == [hashlib.sha256(body).hexdigest()]
        return self.check_get(raw_path, raw_query, signature, settings) and is_this_body

    def check_upgrade(
        self, raw_path: str, raw_query: str, signature: str | None, settings: str = ""
    ) -> bool:
        """Check a WebSocket handshake. Twilio sends no query; one that came must be signed as well."""
        scheme = _UPGRADE_SCHEMES[self._scheme]
        paths = [raw_path] if raw_path.endswith("/") else [raw_path, raw_path + "/"]
        bare = [url for path in paths for url in self._urls(scheme, path)]
        bare += self._urls(self._scheme, raw_path)
        if not raw_query:
            return self._is_signed(bare, "", signature, settings)
        # Twilio's own agent library signs a query as if it were a form; others sign the whole URL.
        as_form = _joined(parse_qsl(raw_query, keep_blank_values=True))
        whole = [url + _question(raw_query) for url in bare]
        return self._is_signed(bare, as_form, signature, settings) or self._is_signed(
            whole, "", signature, settings
        )

    def _urls(self, scheme: str, target: str) -> list[str]:
        """List the URLs that the carrier may have signed for one target, by rule 3."""
        if not target.startswith("/"):
            return []  # it would run on into the host name
        port = self._port or _DEFAULT_PORTS[scheme]
        hosts = (self._host, f"{self._host}:{port}")
        return [f"{scheme}://{host}{self._prefix}{target}" for host in hosts]

    def _is_signed(
        self, urls: Iterable[str], fields: str, signature: str | None, settings: str
    ) -> bool:
        if signature is None:
            return False
        given = _encoded(signature)
        return any(
            hmac.compare_digest(_signature(key, algorithm, url + fields), given)
            for key, algorithm in self._secrets(settings)
            for url in urls
        )

    def _secrets(self, settings: str) -> Sequence[tuple[bytes, str]]:
        """Return the secrets that count for a request, each with its own algorithm, by rule 5."""
        if not settings:
            return self._keys  # as nearly always
        said = _said(settings)
        match said.get("key"), said.get("algorithm", TOKEN_ALGORITHM).upper():
            case None, algorithm if algorithm == TOKEN_ALGORITHM:
                return self._keys
            case name, algorithm if algorithm == SHARED_ALGORITHM:
                return [(secret, "sha256") for key, secret in self._shared if key == name]
            case _:
                return ()


def _said(settings: str) -> dict[str, str]:
    """Read the header `key=…,algorithm=…`; of a word that comes twice the last counts."""
    words = (part.partition("=") for part in settings.split(","))
    return {word.strip(): value.strip() for word, equals, value in words if equals}


def _signature(key: bytes, algorithm: str, text: str) -> bytes:
    return base64.b64encode(hmac.digest(key, _encoded(text), algorithm))


def _joined(pairs: Sequence[tuple[str, str]]) -> str:
    """Join a form as it is signed: sorted by name, then value; equal pairs count once."""
    return "".join(name + value for name, value in sorted(set(pairs)))


def _question(raw_query: str) -> str:
    return f"?{raw_query}" if raw_query else ""


def _encoded(text: str) -> bytes:
    """Encode any str, lone surrogates included: they fail the comparison, not the request."""
    return text.encode(errors="surrogatepass")
