"""How single settings are written. Each function raises ValueError with what was expected."""

import ipaddress
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlsplit

CarrierName = Literal["twilio", "signalwire", "telnyx", "plivo", "exotel"]
DROPS_MAX = 1_000  # more in any window is a loop that nobody should sit through
WINDOW_S_MAX = 86_400  # a day: longer than any call


def items(text: str) -> tuple[str, ...]:
    """Return the items of a comma list, without the space around them and the empty ones."""
    return tuple(filter(None, map(str.strip, text.split(","))))


def listed(value: object) -> object:
    """Return the items of a comma list; what is no text stays what it is."""
    return items(value) if isinstance(value, str) else value


def each(check: Callable[[str], str]) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    """Return what checks every item of a list."""
    return lambda texts: tuple(map(check, texts))


def named_secret(text: str) -> tuple[str, str]:
    """Return the name and the secret of `name:secret`; the secret may hold further colons."""
    name, _, secret = text.partition(":")
    if not name or not secret:
        raise ValueError("expected name:secret")
    return name, secret


def named_secrets(value: object) -> object:
    """Return the pairs of a comma list of `name:secret`; what is no text stays what it is."""
    return tuple(map(named_secret, items(value))) if isinstance(value, str) else value


def address(text: str) -> str:
    """Return an address of a server without the slash at its end, "" for ""."""
    parts = urlsplit(text)
    is_sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    if text and (not is_sound or parts.query or parts.fragment):
        raise ValueError("expected http(s)://host[:port][/path]")
    return text.rstrip("/")


def origin(text: str) -> str:
    """Return the origin of pages as it is."""
    parts = urlsplit(text)
    is_sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    if not is_sound or parts.path or parts.query or parts.fragment or parts.username:
        raise ValueError("expected origins, http(s)://host[:port]")
    return text


def network(text: str) -> str:
    """Return an address or a network (CIDR) as it is."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError as trouble:
        raise ValueError("expected addresses or networks, for example 10.0.0.0/8") from trouble
    return text


def drop_limit(text: str) -> str:
    """Return `drops/seconds` as it is."""
    drops, slash, seconds = text.partition("/")
    is_sound = slash and drops.isdecimal() and seconds.isdecimal()
    if not is_sound or not 1 <= int(drops) <= DROPS_MAX or not 1 <= int(seconds) <= WINDOW_S_MAX:
        raise ValueError("expected drops/seconds, for example 10/60")
    return text
