"""Connections that have not asked anything yet: how many there may be, and who goes when there are more.

A request is there a moment after its connection. Who keeps one open without asking holds a descriptor, and
a crowd of those would hold all. So their places are few, and whoever waited longest goes first: that is
never somebody who is about to ask, unless the whole crowd came in that moment.
"""

from collections import Counter
from collections.abc import Callable

from service.wire.address import Proxies, network_of

SILENT_MAX = 2_048  # as many as the kernel lets wait before they are accepted: a herd comes at once
SILENT_OF_ONE_MAX = 1_024  # of one address; a carrier's herd comes from a few


class Silent:
    """One connection in the crowd."""

    __slots__ = ("let_go", "network")

    def __init__(self, network: str, let_go: Callable[[], None]) -> None:
        self.network = network
        self.let_go = let_go


class Crowd:
    """All connections of one server that have not asked anything yet, the oldest first."""

    def __init__(self, proxies: Proxies | None = None) -> None:
        self._proxies = proxies or Proxies(())
        self._silent: dict[Silent, None] = {}
        self._of_one: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._silent)

    def enter(self, host: str, let_go: Callable[[], None]) -> Silent:
        """Take a connection in; whoever has no place any more is let go, at once."""
        network = "" if self._proxies.may_be(host) else network_of(host)
        if network and self._of_one[network] >= SILENT_OF_ONE_MAX:
            self._turn_out(next(one for one in self._silent if one.network == network))
        elif len(self._silent) >= SILENT_MAX:
            self._turn_out(next(iter(self._silent)))
        mine = Silent(network, let_go)
        self._silent[mine] = None
        self._of_one[network] += 1
        return mine

    def leave(self, one: Silent) -> None:
        """A connection has asked, or is gone. Harmless a second time."""
        if one not in self._silent:
            return
        del self._silent[one]
        self._of_one[one.network] -= 1
        if not self._of_one[one.network]:
            del self._of_one[one.network]

    def _turn_out(self, one: Silent) -> None:
        self.leave(one)
        one.let_go()
