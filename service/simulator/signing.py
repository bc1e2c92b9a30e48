"""Twilio's request signature, computed on Twilio's side.

    base64(HMAC-SHA1(auth token, URL + name + value + name + value ...))

Names are sorted case-sensitively, the values of a repeated name once each and sorted, all in UTF-8
("Webhooks security"). The stand-in has its own few lines, so that a fault in the service's reading of
the algorithm can't hide in a shared copy of it.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

Fields = Sequence[tuple[str, str]]

HEADER = "X-Twilio-Signature"
SOCKET_HEADER = "x-twilio-signature"  # Twilio writes it in lower case on WebSocket handshakes


def signature(auth_token: str, url: str, fields: Fields = ()) -> str:
    """Sign `url`, exactly as given, and the form's fields; a GET or a handshake has none."""
    values: dict[str, set[str]] = {}
    for name, value in fields:
        values.setdefault(name, set()).add(value)
    text = url + "".join(name + value for name in sorted(values) for value in sorted(values[name]))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def signed_url(url: str) -> str:
    """Return the form of a voice webhook's URL that Twilio signs.

    The fragment holds connection overrides and is never signed; user and password are dropped; the port
    is dropped with https and kept with http ("Webhooks security", exceptions for voice).
    """
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    if parts.scheme == "https":
        host = parts.hostname or ""
        place = f"[{host}]" if ":" in host else host
    return urlunsplit((parts.scheme, place, parts.path, parts.query, ""))
