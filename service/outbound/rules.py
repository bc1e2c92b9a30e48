"""Where requests of our own may go. Pure: names and addresses come in, a reason against them comes out.

    URL ──> scheme, no user ──> host on the list? ──> looked up ──> every address permitted? ──> connect

1.  An address on the internet is permitted. One that is not (private, loopback, link-local, a cloud's
    metadata service, and IPv6 forms that stand for one of these) is not, whatever name led to it.
2.  OUTBOUND_NETWORKS permits further addresses; OUTBOUND_HOSTS, when set, names all hosts there are.
3.  An address that a setting itself names (`http://10.0.0.7:9000`, `http://localhost:11434/v1`) is the
    operator's own wish: a private one is permitted, as it is written there and no other way. A
    link-local one never is by that alone.
4.  A name is judged by all its addresses: with one that is not permitted, none is connected to.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LOCALHOST: Final = "localhost"
SCHEMES: Final = ("http", "https")
ENTRIES_MAX = 200  # of each list: it is walked for each new connection

# IANA's special-purpose registries name these; not every release of `ipaddress` counts all of them.
_SPECIAL: Final = tuple(
    map(ip_network, ("0.0.0.0/8", "192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/3", "3fff::/20"))
)
_GLOBAL_V6: Final = IPv6Network("2000::/3")  # all that is given out of IPv6
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: the last four bytes are an IPv4 address


@dataclass(frozen=True)
class Rules:
    """The hosts that may be asked, all when there are none; further networks; hosts that settings name."""

    hosts: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    named: frozenset[str] = frozenset()

    def naming(self, *urls: str) -> "Rules":
        """Return the rules for requests to these URLs, which stand in a setting."""
        return replace(self, named=frozenset(map(_host, urls)))

    def against_url(self, scheme: str, host: str, *, has_user: bool) -> str:
        """Return why no request may go to such a URL, "" when one may."""
        if scheme not in SCHEMES:
            return f"the scheme {scheme!r} is not http or https"
        if has_user:
            return "the URL holds a user"
        return self.against_host(host)

    def against_host(self, host: str) -> str:
        """Return why this host may not be asked, "" when it may."""
        plain = _plain(host)
        if not plain:
            return "the URL has no host"
        if self.hosts and not any(_is_within(plain, one) for one in self.hosts):
            return f"{host} is not in OUTBOUND_HOSTS"
        return ""

    def against_addresses(self, host: str, addresses: Iterable[str]) -> str:
        """Return why a host at these addresses may not be asked, "" when it may."""
        for text in addresses:
            address = ip_address(text.partition("%")[0])
            if not self._permits(host, address):
                return f"{host} is at {address}, which is no public address: see OUTBOUND_NETWORKS"
        return ""

    def _permits(self, host: str, address: Address) -> bool:
        meant = [address, *_inside(address)]
        if any(address in network for network in self.networks):
            return True
        return all(map(is_public, meant)) or self._is_named(host, address)

    def _is_named(self, host: str, address: Address) -> bool:
        """Whether a setting names this very address, of a kind that one's own machines have."""
        if host not in self.named or address.is_link_local or address.is_unspecified:
            return False
        if host == LOCALHOST:
            return address.is_loopback
        is_network = address.is_private and not address.is_reserved and not address.is_multicast
        return (is_network or address.is_loopback) and host == str(address)


ANYWHERE: Final = Rules()  # all that is public


def parsed(hosts: Sequence[str], networks: Sequence[str]) -> Rules:
    """Return the rules that two settings make. Raises ValueError with one line."""
    if max(len(hosts), len(networks)) > ENTRIES_MAX:
        raise ValueError(f"more than {ENTRIES_MAX} entries")
    for host in hosts:
        plain = host.removeprefix("*.")
        if not plain or any(sign in plain for sign in "/*@: ") or not plain.isascii():
            raise ValueError(f"expected names as desk.example.com or *.example.com, not {host}")
    try:
        found = tuple(map(ip_network, networks))
    except ValueError as trouble:
        raise ValueError(f"expected networks as 10.0.0.0/8: {trouble}") from None
    return Rules(tuple(map(_plain, hosts)), found)


def is_public(address: Address) -> bool:
    """Say whether an address is one of the internet's, that anybody could ask."""
    if isinstance(address, IPv6Address) and address not in _GLOBAL_V6:
        return False
    return address.is_global and not any(address in network for network in _SPECIAL)


def _inside(address: Address) -> list[Address]:
    """Return the IPv4 addresses that an IPv6 address may stand for."""
    if isinstance(address, IPv4Address):
        return []
    within: list[Address | None] = [address.ipv4_mapped, address.sixtofour]
    within += address.teredo or ()
    if address in _NAT64:
        within.append(IPv4Address(address.packed[-4:]))
    return [one for one in within if one is not None]


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # such a URL is refused by whoever asks
        return ""


def _plain(host: str) -> str:
    return host.lower().removesuffix(".")


def _is_within(host: str, entry: str) -> bool:
    return host == entry or (entry.startswith("*.") and host.endswith(entry[1:]))
