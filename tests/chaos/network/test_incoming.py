import asyncio

import pytest
from typing_extensions import override

from service.chaos.network.incoming import ROOM_BYTES, Asking, Incoming


class Kept(Incoming):
    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    @override
    def received(self, piece: bytes) -> None:
        self.pieces.append(piece)


def test_every_piece_is_handed_on_by_itself() -> None:
    kept = Kept()
    for piece in (b"one", b"fourteen"):
        kept.get_buffer(-1)[: len(piece)] = piece
        kept.buffer_updated(len(piece))
    assert kept.pieces == [b"one", b"fourteen"]
    assert len(kept.get_buffer(-1)) == ROOM_BYTES


class Outbox(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[object] = []

    @override
    def write(self, data: object) -> None:
        self.sent.append(data)


def test_who_asks_speaks_first() -> None:
    outbox = Outbox()
    Asking(b"GET / HTTP/1.1\r\n\r\n").connection_made(outbox)
    assert outbox.sent == [b"GET / HTTP/1.1\r\n\r\n"]


def test_what_nobody_takes_is_an_error() -> None:
    with pytest.raises(NotImplementedError):
        Incoming().received(b"x")
