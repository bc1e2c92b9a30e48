"""Whose connections are counted together: those of one address, behind the proxies that we know."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

CUSTOMER_BITS = 64  # of an IPv6 address: whoever has one has all of these
HOSTS_MAX = 1_024  # remembered as they were read: a carrier's herd comes from a few
LETTERS_MAX = 45  # of an address, written in full: longer words are none, and not remembered

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def network_of(host: str) -> str:
    """Return what stands for a host in a count: an IPv4 address, an IPv6 network of one customer.

    What is no address stands for itself.
    """
    known = _known(host)
    return host if known is None else known[1]


def _known(host: str) -> tuple[Address, str] | None:
    """Return the address that a host is, and what stands for it; None for a name."""
    bare = host.partition("%")[0]
    return _read(bare) if len(bare) <= LETTERS_MAX else None


@lru_cache(HOSTS_MAX)
def _read(bare: str) -> tuple[Address, str] | None:
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return address, str(address)
    if address.ipv4_mapped is not None:
        return address, str(address.ipv4_mapped)
    return address, str(ipaddress.ip_network((address, CUSTOMER_BITS), strict=False))


class Proxies:
    """The addresses and networks of proxies in front of us, whose word on who asks is believed.

    ValueError for what is neither.
    """

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = tuple(ipaddress.ip_network(one, strict=False) for one in networks)

    def may_be(self, host: str) -> bool:
        """Whether many people may stand behind this host: a proxy of ours, or an address of some house.

        An address that the internet doesn't route (RFC 1918, loopback) is a proxy that nobody told us of.
        """
        known = _known(host)
        if known is None:
            return False
        return not known[0].is_global or any(known[0] in one for one in self._networks)
