import socket

import pytest
from starlette.applications import Starlette

from service.testing.house import House
from service.testing.stayline import Stayline
from tests.testing.agents import Echo


def test_the_address_stays_when_the_server_changes(stayline: Stayline) -> None:
    call = stayline.call(Echo, client_name="Maria")
    house = call.house
    url, first = house.url, house.server
    house.restart()
    second = house.server
    house.kill()
    assert house.url == url
    assert len({first, second, house.server}) == 3
    call.comes_back()


def test_who_knocks_while_nobody_serves_is_let_in_by_the_next(stayline: Stayline) -> None:
    call = stayline.call(Echo, client_name="Maria")
    port = int(call.house.url.rpartition(":")[2])
    call.house.server.kill()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as knocking:
        knocking.sendall(b"GET /livez HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")
        call.house.kill()
        assert knocking.recv(100).startswith(b"HTTP/1.1 200")


def test_what_the_making_raises_comes_out_and_the_house_can_be_left() -> None:
    def make(url: str) -> Starlette:
        raise ValueError(url)

    house = House(make)
    with pytest.raises(ValueError, match=house.url):
        house.open()
    house.close()
