"""A server that notes what comes over its connections, and how they end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Far:
    def __init__(self) -> None:
        self.port = 0
        self.got = bytearray()
        self.end = ""
        self.writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        try:
            while piece := await reader.read(4_096):
                self.got += piece
            self.end = "fin"
        except ConnectionError:
            self.end = "reset"
        finally:
            writer.close()


@asynccontextmanager
async def far_end() -> AsyncIterator[Far]:
    far = Far()
    server = await asyncio.start_server(far.serve, "127.0.0.1", 0)
    far.port = server.sockets[0].getsockname()[1]
    async with server:
        yield far
