"""RFC 6455 4 on the real port: a handshake that is none is answered as HTTP, and opens nothing."""

import pytest

from tests.hostile.conftest import Witness
from tests.hostile.raw import KEY, PING, PONG, TEXT, close, connected, frame, request, upgraded

pytestmark = pytest.mark.asyncio(loop_scope="module")

BROKEN = {
    "4.1-5 no upgrade": (request(without="upgrade"), 404),
    "4.1-5 upgrade to another protocol": (request(upgrade="h2c"), 404),
    "4.1-5 upgrade to more than one": (request(upgrade="websocket, h2c"), 404),
    "4.1-6 no connection": (request(without="connection"), 404),
    "4.1-6 connection: close": (request(connection="close"), 404),
    "4.1-6 connection: keep-alive": (request(connection="keep-alive"), 404),
    "4.1-7 no key": (request(without="sec-websocket-key"), 400),
    "4.1-7 empty key": (request(sec_websocket_key=""), 400),
    "4.1-7 key of 15 bytes": (request(sec_websocket_key="YWFhYWFhYWFhYWFhYWFh"), 400),
    "4.1-7 key of 17 bytes": (request(sec_websocket_key="YWFhYWFhYWFhYWFhYWFhYWE="), 400),
    "4.1-7 key that is no base64": (request(sec_websocket_key="!" * 24), 400),
    "4.1-7 key with white space inside": (request(sec_websocket_key=KEY[:9] + " " + KEY[9:]), 400),
    "4.1-7 two keys": (request(sec_websocket_key=f"{KEY}\r\nsec-websocket-key: {KEY}"), 400),
    "4.1-9 no version": (request(without="sec-websocket-version"), 400),
    "4.1-9 version 0": (request(sec_websocket_version="0"), 400),
    "4.1-9 version 8": (request(sec_websocket_version="8"), 400),
    "4.1-9 version 12": (request(sec_websocket_version="12"), 400),
    "4.1-9 version 14": (request(sec_websocket_version="14"), 400),
    "4.1-9 version 013": (request(sec_websocket_version="013"), 400),
    "4.1-9 version 13, 8": (request(sec_websocket_version="13, 8"), 400),
    "4.1-9 two versions": (request(sec_websocket_version="13\r\nsec-websocket-version: 13"), 400),
    "4.1-2 POST": (request(line="POST /media HTTP/1.1", content_length="0"), 405),
    "4.1-2 PUT": (request(line="PUT /media HTTP/1.1", content_length="0"), 405),
    "4.1-2 HEAD": (request(line="HEAD /media HTTP/1.1"), 405),
    "4.1-2 OPTIONS": (request(line="OPTIONS /media HTTP/1.1"), 405),
    "4.1-2 a method of no RFC": (request(line="GIVE /media HTTP/1.1"), 400),
    "4.1-2 HTTP/0.9": (b"GET /media\r\n\r\n", 404),
    "4.1-2 HTTP/1.2": (request(line="GET /media HTTP/1.2"), 400),
    "4.1-3 another path": (request(line="GET /medium HTTP/1.1"), 403),
    "4.1-3 a path up the tree": (request(line="GET /x/../media HTTP/1.1"), 403),
    "4.1-3 a query that is not signed": (request(line="GET /media?a=1 HTTP/1.1"), 403),
    "4.1-3 a path of bytes": (request(line="GET /m\xe9dia HTTP/1.1"), 400),
    "4.1-3 a path of half an escape": (request(line="GET /media%e HTTP/1.1"), 403),
    "4.1-3 an escape of no letter": (request(line="GET /%ff%fe HTTP/1.1"), 403),
    "4.1-3 a path of 9,000 bytes": (request(line=f"GET /{'m' * 9_000} HTTP/1.1"), 414),
    "4.1 a path of 60,000 bytes": (request(line=f"GET /{'m' * 60_000} HTTP/1.1"), 414),
    "4.1 a header of 9,000 bytes": (request(x_long="x" * 9_000), 431),
    "4.1 two hundred headers": (request(**{f"x_{n}": "x" for n in range(200)}), 431),
    "4.1 a header of a megabyte": (request(x_long="x" * 1_000_000), 431),
    "4.1 a header's name of a megabyte": (request(**{"x" * 1_000_000: "x"}), 431),
    "4.1 a header of bytes": (request(x_odd="\xff\xfe\x80"), 101),
    "4.1 a header's name of bytes": (request(xÿ="x"), 400),
    "4.1 a header with a NUL": (request(x_nul="a\x00b"), 400),
    "4.1 a header folded": (request(x_fold="a\r\n b"), 400),
    "4.1 a header without a name": (request(x_none="a\r\n: b"), 400),
    "4.1 a body": (request(content_length="5") + b"hello", 400),
    "4.1 a body in chunks": (request(transfer_encoding="chunked") + b"0\r\n\r\n", 400),
    "10.2 not signed": (request(without="x-twilio-signature"), 403),
    "10.2 signed with bytes": (request(x_twilio_signature="\xff" * 28), 403),
    "10.2 signed at length": (request(x_twilio_signature="A" * 8_000), 403),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100), 400),
    "no HTTP, but a line": (b"hello\r\n\r\n", 400),
    "a frame without a handshake": (frame(TEXT, b"{}"), 400),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_handshake_that_is_none_opens_no_socket(witness: Witness, name: str) -> None:
    sent, status = BROKEN[name]
    async with connected(witness.host) as raw:
        await raw.send(sent)
        assert await raw.status() == status
    await witness.is_well()


@pytest.mark.parametrize(
    "changes",
    [
        {"upgrade": "WebSocket"},
        {"connection": "keep-alive, Upgrade"},
        {"connection": "upgrade"},
        {"origin": "https://anywhere.example.com"},
        {"sec_websocket_protocol": "audio.twilio.com, chat"},
        {"sec_websocket_extensions": "permessage-deflate; client_max_window_bits"},
        {"sec_websocket_extensions": "x-unknown; a=1, permessage-deflate"},
        {"host": "somewhere.else"},
        {"x_forwarded_proto": "http", "x_forwarded_host": "evil.example.com"},
    ],
    ids=lambda changes: next(iter(changes.items())).__repr__(),
)
async def test_a_handshake_that_keeps_to_the_rules_is_answered_by_them(
    witness: Witness, changes: dict[str, str]
) -> None:
    """RFC 6455 4.2.2: the right proof, no extension and no protocol that we don't speak."""
    async with connected(witness.host) as raw:
        await raw.send(request(**changes))
        assert await raw.status() == 101
        lines = raw.head.lower().split(b"\r\n")
        assert b"sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in lines
        assert not [line for line in lines if b"extensions" in line or b"protocol:" in line]
        await raw.send(frame(PING, b"?"))
        assert await raw.frame() == (PONG, b"?")
        await raw.send(close(1000))
        assert (await raw.ended()).code == 1000
    await witness.is_well()


async def test_a_handshake_may_come_byte_by_byte(witness: Witness) -> None:
    async with connected(witness.host) as raw:
        for byte in request():
            await raw.send(bytes((byte,)))
        assert await raw.status() == 101
    await witness.is_well()


async def test_a_second_handshake_on_a_socket_is_no_frame(witness: Witness) -> None:
    """A `G` is a frame with reserved bits (RFC 6455 5.2)."""
    async with upgraded(witness.host) as raw:
        await raw.send(request())
        assert (await raw.ended()).code == 1002
    await witness.is_well()


async def test_frames_that_come_with_the_handshake_end_nothing_but_their_own_socket(
    witness: Witness,
) -> None:
    """RFC 6455 4.1: a client waits for the answer first."""
    async with connected(witness.host) as raw:
        await raw.send(request() + frame(0x3) + frame(PING))
        assert await raw.status() == 101
        await raw.send(frame(0x3))
        assert (await raw.ended()).code == 1002
    await witness.is_well()
