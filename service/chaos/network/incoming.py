"""The receiving end of a connection: what every protocol of chaos begins with."""

import asyncio
from typing import Any

from typing_extensions import override

ROOM_BYTES = 8_192  # a second of one call's audio, as JSON


class Incoming(asyncio.BufferedProtocol):
    """Hands every piece that comes to `received`."""

    _room: bytearray | None = None

    @override
    def get_buffer(self, sizehint: int) -> bytearray:
        self._room = self._room or bytearray(ROOM_BYTES)
        return self._room

    @override
    def buffer_updated(self, nbytes: int) -> None:
        assert self._room is not None
        self.received(bytes(memoryview(self._room)[:nbytes]))

    def received(self, piece: bytes) -> None:
        """Take the next bytes."""
        raise NotImplementedError


class Asking(Incoming):
    """A client's end: it sends `request` as soon as it is connected."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._transport: Any = None  # until it is connected

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._transport.write(self._request)
