"""Where a Redis store is: a server, Sentinels that know the primary, or a Cluster's nodes.

    redis://user:password@host:6379/0                   one server
    redis+sentinel://host:26379,host:26379/NAME         the primary NAME, as the Sentinels say; NAME/0
    redis+cluster://host:6379,host:6379                 any nodes of a Cluster; the rest is learnt

With `rediss` in front every connection is TLS. What else redis-py takes in an address is taken here.
`?sentinel_username=` and `?sentinel_password=` are for Sentinels that want words of their own.
"""

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.driver_info import DriverInfo
from typing_extensions import override

from service.errors import ConfigError

SPOTS_MAX = 32  # servers named in one address; the first few that answer know the others
PORTS: Final = {"single": 6_379, "sentinel": 26_379, "cluster": 6_379}
CONNECT_TIMEOUT_S = 1  # a handshake in one region takes milliseconds

# redis-py looks for its own version on the disk each time that it is not told what to call itself.
_DRIVER: Final = DriverInfo()

_OPTIONS: Final = {
    "socket_timeout": None,  # each caller bounds its whole exchange instead
    "socket_connect_timeout": CONNECT_TIMEOUT_S,
    "socket_keepalive": True,
    "protocol": 2,
    "decode_responses": False,
    "driver_info": _DRIVER,
    # A command that was sent is never sent again unasked: it may have been run.
    "retry": Retry(NoBackoff(), 0),
}

Kind = Literal["single", "sentinel", "cluster"]


class Spot(NamedTuple):
    """A host and its port."""

    host: str
    port: int

    @override
    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Address(NamedTuple):
    """What a store's URL means; `spots` are as in the URL, `name` is a Sentinel's for its primary."""

    kind: Kind
    spots: tuple[Spot, ...]
    name: str
    options: dict[str, Any]  # for connections to servers
    watch_options: dict[str, Any]  # for connections to Sentinels

    def line_to(self, spot: Spot, **more: Any) -> AbstractConnection:
        """Return a connection to a server, not yet open; `more` options are for this one."""
        return _line(self.options | more, spot)

    def watch_line_to(self, spot: Spot) -> AbstractConnection:
        """Return a connection to a Sentinel, not yet open."""
        return _line(self.watch_options, spot)


def address_of(url: str) -> Address:
    """Return what `url` means. Raises ConfigError with one line that never repeats it."""
    try:
        return _address(url)
    except (ValueError, TypeError) as error:
        scheme = url.partition("://")[0]
        raise ConfigError(f"STORE_URL: this {scheme}:// address can't be read.") from error


def _address(url: str) -> Address:
    scheme, _, rest = url.partition("://")
    safety, _, word = scheme.partition("+")
    kind = _kind(word)
    # Only the hosts differ from what redis-py reads; it is given one of them at a time.
    parts = urlsplit(f"redis://{rest}")
    words, _, hosts = parts.netloc.rpartition("@")
    if kind == "single" and not hosts:
        hosts = "localhost"
    spots = tuple(_spot(host, PORTS[kind]) for host in hosts.split(","))
    if len(spots) > (1 if kind == "single" else SPOTS_MAX):
        raise ConfigError(f"STORE_URL: too many hosts for {scheme}://.")
    name, path = _name_and_path(kind, parts.path)
    host = hosts.split(",")[0]
    read = dict(parse_url(f"{safety}://{words}{'@' if words else ''}{host}{path}?{parts.query}"))
    watch = {
        key: read.pop(f"sentinel_{key}")
        for key in ("username", "password")
        if f"sentinel_{key}" in read
    }
    if kind == "cluster" and read.get("db", 0):
        raise ConfigError("STORE_URL: a Cluster has database 0 only.")
    options = {key: value for key, value in read.items() if key not in ("host", "port")} | _OPTIONS
    own = ("db", "username", "password")
    watching = {key: value for key, value in options.items() if key not in own} | watch
    address = Address(kind, spots, name, options, watching)
    address.line_to(spots[0])  # an option that redis-py does not take is found now
    return address


def _kind(word: str) -> Kind:
    match word:
        case "":
            return "single"
        case "sentinel" | "cluster":
            return word
        case _:
            raise ValueError(word)


def _name_and_path(kind: Kind, path: str) -> tuple[str, str]:
    if kind != "sentinel":
        return "", path
    name, _, database = path.removeprefix("/").partition("/")
    if not name:
        raise ConfigError("STORE_URL: after the Sentinels comes the primary's name: …:26379/NAME.")
    return name, f"/{database}"


def _spot(host: str, port: int) -> Spot:
    parts = urlsplit(f"//{host}")
    if parts.hostname is None:
        raise ValueError("no host")
    return Spot(parts.hostname, parts.port or port)


def _line(options: dict[str, Any], spot: Spot) -> AbstractConnection:
    kind: Callable[..., AbstractConnection] = options.get("connection_class", Connection)
    rest = {key: value for key, value in options.items() if key != "connection_class"}
    return kind(host=spot.host, port=spot.port, **rest)
