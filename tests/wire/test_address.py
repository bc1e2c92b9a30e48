"""Whose connections are counted together."""

import pytest

from service.wire.address import Proxies, network_of


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (
            "2001:0db8:0001:0002:0003:0004:203.000.113.007",
            "2001:0db8:0001:0002:0003:0004:203.000.113.007",
        ),
        ("2001:0db8:0001:0002:aaaa:bbbb:203.0.113.7", "2001:db8:1:2::/64"),
        (f"fe80::1%{'z' * 99}", "fe80::/64"),
        ("n" * 99, "n" * 99),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_one_customer_is_one_network(host: str, network: str) -> None:
    assert network_of(host) == network


def test_behind_a_proxy_or_an_address_of_a_house_may_be_many() -> None:
    proxies = Proxies(("8.8.8.0/24", "2606:4700::/32"))
    many = (
        "127.0.0.1",
        "::1",
        "10.1.2.3",
        "192.168.0.9",
        "8.8.8.8",
        "2606:4700::1",
        "fe80::1%eth0",
    )
    assert [proxies.may_be(host) for host in many] == [True] * len(many)
    alone = ("8.8.4.4", "2001:4860::1", "unknown", "")
    assert [proxies.may_be(host) for host in alone] == [False] * len(alone)


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        Proxies(("calls.example.com",))
