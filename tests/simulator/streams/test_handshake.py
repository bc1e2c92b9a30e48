import socket

import pytest

from service.simulator.account import Account, Number, Terms
from service.simulator.card import Card
from service.simulator.streams import handshake
from tests.simulator.talker import ACCOUNT, TOKEN, Talker

pytestmark = pytest.mark.asyncio


def card(server_url: str) -> Card:
    number = Number(server_url=server_url)
    return Card(account=Account(ACCOUNT, TOKEN), number=number, terms=Terms(), call_sid="CA1")


async def test_a_socket_is_opened_at_an_address_relative_to_the_document(talker: Talker) -> None:
    opened = await handshake.opened(card(talker.url), "/media", f"{talker.url}/twiml/voice")
    assert not isinstance(opened, int)
    assert talker.streams[0].headers["x-twilio-signature"]
    await opened.close()


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://127.0.0.1/media", handshake.BAD_SCHEME),
        ("ws://[/media", handshake.MALFORMED),
        ("", handshake.MALFORMED),
    ],
)
async def test_an_address_that_is_none_has_its_code(url: str, code: int) -> None:
    assert await handshake.opened(card("http://127.0.0.1:1"), url, "") == code


async def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "OPEN_MS_MAX", 50)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"ws://127.0.0.1:{deaf.getsockname()[1]}/media"
        assert await handshake.opened(card(url), url, "") == handshake.CONNECT_TIMEOUT
