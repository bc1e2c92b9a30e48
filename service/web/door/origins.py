"""Our own origins: the pages of which may act for whoever is signed in.

An origin is compared as a browser writes it (RFC 6454): small letters, an IDN in its ASCII form, no port
where it is the scheme's own. Nothing is taken from the request's Host, which its sender chooses.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

_OWN_PORTS = {"http": 80, "https": 443}
_PLAIN = (
    "/!$&'()*+,:=@|"  # what a browser leaves in a path as it is; a semicolon would end a cookie's
)


def origin_of(url: str) -> str:
    """Return the origin of an http(s) URL as browsers send it. Raises ValueError for any other."""
    parts = urlsplit(url)
    if parts.scheme not in _OWN_PORTS or not parts.hostname:
        raise ValueError(f"{url} has no origin")
    name = parts.hostname
    if not name.isascii():
        name = name.encode("idna").decode("ascii")
    if ":" in name:
        name = f"[{name}]"
    is_own = parts.port in (None, _OWN_PORTS[parts.scheme])
    return f"{parts.scheme}://{name}" + ("" if is_own else f":{parts.port}")


def own_origins(public_url: str, port: int, *, is_development: bool) -> tuple[str, ...]:
    """Return the origins that our pages have: PUBLIC_URL's, in development this machine's too."""
    ours = [origin_of(public_url)] if public_url else []
    if is_development:
        ours += [f"http://127.0.0.1:{port}", f"http://localhost:{port}"]
    return tuple(dict.fromkeys(ours))


def root_of(scope: Mapping[str, Any]) -> str:
    """Return the path that we are mounted at as a browser writes it, "" at the root of a host."""
    return quote(scope.get("root_path", "").rstrip("/"), safe=_PLAIN)


def sockets_of(origins: Sequence[str]) -> tuple[str, ...]:
    """Return the same origins for WebSockets: ws for http, wss for https."""
    return tuple("ws" + origin.removeprefix("http") for origin in origins)
