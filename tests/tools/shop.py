"""A raw HTTP server on loopback for tests of what goes out: it answers, stalls, drops, as told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal

Trick = Literal["stall", "drop"]  # read the request, then never answer, or close the connection


@dataclass(frozen=True)
class Asked:
    """One request as it came in; the names of its headers are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Shop:
    """What it answers, one after the other, the last again and again; and what it was asked."""

    answers: list[bytes | Trick]
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    was_left: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        try:
            while (asked := await _request(reader)) is not None:
                self.asked.append(asked)
                self.was_asked.set()
                answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
                if answer == "drop":
                    break
                if isinstance(answer, bytes):
                    writer.write(answer)
                    await writer.drain()
                    if b"connection: close" in answer:
                        break
        except OSError:  # whoever asked may have had enough
            pass
        finally:
            self.was_left.set()
            writer.close()


async def _request(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, target, _ = first.split(" ")
    return Asked(method, target, headers, body)


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    """Return a whole answer."""
    lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextlib.asynccontextmanager
async def shop(*answers: bytes | Trick) -> AsyncIterator[Shop]:
    """Serve on a free port until the test is done."""
    ours = Shop(list(answers))
    server = await asyncio.start_server(ours.serve, "127.0.0.1", 0)
    ours.port = server.sockets[0].getsockname()[1]
    try:
        yield ours
    finally:
        server.close()
        for writer in ours.writers:
            writer.close()
        await server.wait_closed()
