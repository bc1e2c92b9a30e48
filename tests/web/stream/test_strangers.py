"""Sockets that prove nothing are bounded, in all and of one address."""

import contextlib
from collections.abc import Iterator

import pytest

from service.web.stream.strangers import OF_ONE_MAX, SIGNED_MAX, UNPROVED_MAX, Strangers
from service.wire.address import Proxies


@contextlib.contextmanager
def waiting(strangers: Strangers, count: int, *hosts: str) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for at in range(count):
            stack.enter_context(strangers.one(hosts[at % len(hosts)]))
        yield
    assert len(strangers) == 0


def test_one_address_takes_no_more_than_its_part() -> None:
    """S-3: a cap for each address; those of one customer's IPv6 network count together."""
    strangers = Strangers()
    with waiting(strangers, OF_ONE_MAX, "2001:4860::1", "2001:4860::2"):
        assert not strangers.have_room("2001:4860::3", is_signed=False)
        assert strangers.have_room("2001:4860:0:1::3", is_signed=False)
        assert strangers.have_room("8.8.8.8", is_signed=False)
        assert strangers.have_room("2001:4860::3", is_signed=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.7", "8.8.8.8"])
def test_all_together_are_bounded_also_behind_a_proxy(host: str) -> None:
    strangers = Strangers(Proxies(("8.8.8.8",)))
    with waiting(strangers, UNPROVED_MAX - 1, host):
        assert strangers.have_room(host, is_signed=False)
    with waiting(strangers, UNPROVED_MAX, host):
        assert not strangers.have_room(host, is_signed=False)
        assert not strangers.have_room("8.8.4.4", is_signed=False)
        assert strangers.have_room(host, is_signed=True)


def test_the_carriers_own_are_bounded_by_a_herds_size() -> None:
    strangers = Strangers()
    with waiting(strangers, SIGNED_MAX, "8.8.8.8"):
        assert not strangers.have_room("8.8.8.8", is_signed=True)
