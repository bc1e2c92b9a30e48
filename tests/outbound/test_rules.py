from ipaddress import ip_address

import pytest

from service.outbound.rules import ANYWHERE, ENTRIES_MAX, Rules, is_public, parsed

PUBLIC = ("1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::5e")
OWN = ("10.0.0.7", "172.20.0.2", "192.168.1.9", "127.0.0.1", "::1", "fd12::3")
LINK = ("169.254.169.254", "fe80::1")


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_on_the_internet_may_be_asked(address: str) -> None:
    assert is_public(ip_address(address))
    assert ANYWHERE.against_addresses("desk.example.com", [address]) == ""


@pytest.mark.parametrize("address", [*OWN, *LINK, "0.0.0.0", "::", "224.0.0.1", "100.64.0.1"])  # noqa: S104 - no server listens there
def test_what_is_not_may_not(address: str) -> None:
    assert not is_public(ip_address(address))
    assert "OUTBOUND_NETWORKS" in ANYWHERE.against_addresses("desk.example.com", [address])
    assert ANYWHERE.against_addresses("desk.example.com", [PUBLIC[0], address])


@pytest.mark.parametrize("address", [*OWN, *LINK])
def test_a_network_that_is_named_may_be_asked(address: str) -> None:
    rules = parsed((), [f"{address}/{ip_address(address).max_prefixlen}"])
    assert rules.against_addresses("desk.internal", [address]) == ""
    assert rules.against_addresses("desk.internal", ["10.9.9.9"])


@pytest.mark.parametrize("address", OWN)
def test_an_own_address_that_a_setting_names_may_be_asked_by_that_name_alone(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    rules = ANYWHERE.naming(f"http://{host}:9000/x", "https://desk.example.com")
    assert rules.against_addresses(address, [address]) == ""
    assert rules.against_addresses("desk.example.com", [address])
    assert rules.against_addresses("127.1", [address])


@pytest.mark.parametrize("address", LINK)
def test_an_address_of_the_link_is_never_named_by_a_url(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    assert ANYWHERE.naming(f"http://{host}/").against_addresses(address, [address])


def test_localhost_is_this_machine_and_nothing_else() -> None:
    rules = ANYWHERE.naming("http://localhost:11434/v1")
    assert rules.against_addresses("localhost", ["127.0.0.1", "::1"]) == ""
    assert rules.against_addresses("localhost", ["10.0.0.1"])
    assert ANYWHERE.against_addresses("localhost", ["127.0.0.1"])


def test_hosts_that_are_listed_are_all_that_may_be_asked() -> None:
    rules = parsed(["desk.example.com", "*.crm.example"], [])
    for host in ("desk.example.com", "DESK.example.com.", "eu.crm.example"):
        assert rules.against_host(host) == ""
    for host in ("crm.example", "evil-desk.example.com", "desk.example.com.evil.org", "1.1.1.1"):
        assert "OUTBOUND_HOSTS" in rules.against_host(host)


def test_a_url_needs_a_scheme_of_the_web_a_host_and_no_user() -> None:
    assert ANYWHERE.against_url("https", "a.example", has_user=False) == ""
    assert ANYWHERE.against_url("ftp", "a.example", has_user=False)
    assert ANYWHERE.against_url("https", "a.example", has_user=True)
    assert ANYWHERE.against_url("https", "", has_user=False)


def test_a_url_that_cannot_be_read_names_nothing() -> None:
    assert ANYWHERE.naming("http://[::1").named == {""}


@pytest.mark.parametrize(
    "hosts", [["*"], ["*."], ["a b"], ["http://a"], ["u@a"], ["ä.de"], ["a:1"]]
)
def test_a_host_that_is_none_is_one_clear_line(hosts: list[str]) -> None:
    with pytest.raises(ValueError, match=r"expected names as desk.example.com"):
        parsed(hosts, [])


@pytest.mark.parametrize("networks", [["10.0.0.1/8"], ["x"], ["10.0.0.0/33"]])
def test_a_network_that_is_none_is_one_clear_line(networks: list[str]) -> None:
    with pytest.raises(ValueError, match=r"expected networks as 10\.0\.0\.0/8"):
        parsed([], networks)


def test_there_are_no_more_entries_than_are_walked_in_a_moment() -> None:
    with pytest.raises(ValueError, match="more than"):
        parsed(["a.example"] * (ENTRIES_MAX + 1), [])
    assert parsed([], []) == Rules()
