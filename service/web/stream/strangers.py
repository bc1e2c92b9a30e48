"""Sockets that have shown nothing yet: how many there may be, in all and of one address (S-3)."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from service.wire.address import Proxies, network_of

UNPROVED_MAX = 200  # sockets that have shown neither a signature nor a token yet
OF_ONE_MAX = 50  # of these, of one address: an office behind one, all reloading at once
SIGNED_MAX = (
    2_000  # sockets of the carrier's own that have not shown a token yet: a herd comes at once
)


class Strangers:
    """The sockets of one process that wait to prove themselves."""

    def __init__(self, proxies: Proxies | None = None) -> None:
        self._proxies = proxies or Proxies(())
        self._of_one: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._of_one.total()

    def have_room(self, host: str, *, is_signed: bool) -> bool:
        """Whether one more may come from this address."""
        if is_signed:
            return len(self) < SIGNED_MAX
        is_crowd = self._proxies.may_be(host)
        return len(self) < UNPROVED_MAX and (
            is_crowd or self._of_one[network_of(host)] < OF_ONE_MAX
        )

    @contextmanager
    def one(self, host: str) -> Iterator[None]:
        """Count one inside the block."""
        network = network_of(host)
        self._of_one[network] += 1
        try:
            yield
        finally:
            self._of_one[network] -= 1
            if not self._of_one[network]:
                del self._of_one[network]
