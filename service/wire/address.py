"""Whose connections are counted together: those of one address, behind the proxies that we know."""

import ipaddress
from collections.abc import Sequence

CUSTOMER_BITS = 64  # of an IPv6 address: whoever has one has all of these


def network_of(host: str) -> str:
    """Return what stands for a host in a count: an IPv4 address, an IPv6 network of one customer.

    What is no address stands for itself.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, CUSTOMER_BITS), strict=False))


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
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return False
        return not address.is_global or any(address in one for one in self._networks)
