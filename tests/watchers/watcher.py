"""One person's page that follows a call over a real socket, loses it again and again, and misses nothing.

It reads server-sent events, or asks by long poll with the same offsets; a lost connection is reset in
the middle of whatever comes, and the next one goes on from the last event that came whole.
"""

import asyncio
import json
import random
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

Json = dict[str, Any]
READ_BYTES = 65_536
ANSWER_S_MAX = 30.0
PAUSE_S_MAX = 0.3  # away for so long at most, as a page is that waits before it comes back
POLL_WAIT_S = 2
_RESET = struct.pack("ii", 1, 0)  # closed at once, and what was under way is lost


class Watcher:
    """A reader of one call. `seen` is each record it was told, in the order it was told them."""

    def __init__(self, port: int, call_sid: str, bearer: str, chance: random.Random) -> None:
        self.call_sid = call_sid
        self.seen: list[tuple[int, str]] = []
        self.resets = 0
        self.cuts = 0
        self.put_off = 0
        self.failures: list[str] = []
        self._port = port
        self._bearer = bearer
        self._chance = chance
        self._offset = ""
        self._writer: asyncio.StreamWriter | None = None
        self._is_over = False

    @property
    def position(self) -> int:
        """The place of the last record that it was told."""
        return self.seen[-1][0] if self.seen else 0

    async def follow(self, *, polls: float = 0.0) -> None:
        """Watch until `close`; of all connections a share `polls` are long polls."""
        while not self._is_over:
            try:
                if self._chance.random() < polls:
                    await self._poll()
                else:
                    await self._stream()
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(self._chance.random() * PAUSE_S_MAX)

    def cut(self) -> bool:
        """Lose the connection there is, in the middle of whatever comes; False when there is none."""
        is_lost = self._reset()
        self.cuts += is_lost
        return is_lost

    def close(self) -> None:
        """Watch no more."""
        self._is_over = True
        self._reset()

    def _reset(self) -> bool:
        writer, self._writer = self._writer, None
        if writer is None:
            return False
        ours: socket.socket = writer.get_extra_info("socket")
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
        return True

    async def _stream(self) -> None:
        last = f"Last-Event-ID: {self._offset}\r\n" if self._offset else ""
        reader = await self._ask("", f"Accept: text/event-stream\r\n{last}")
        try:
            await self._head(reader)
            rest = b""
            while piece := await self._read(reader):
                *events, rest = (rest + piece).split(b"\r\n\r\n")
                for event in events:
                    self._take(event)
        finally:
            self._drop()

    async def _poll(self) -> None:
        after = self._offset or "0"
        reader = await self._ask(f"?after={after}&wait_s={POLL_WAIT_S}", "Connection: close\r\n")
        try:
            await self._head(reader)
            answer = json.loads(await reader.read(-1))
            self.resets += answer["reset"]
            for told in answer["events"]:
                self._note(told)
            self._offset = f"{answer['incarnation']}:{answer['position']}"
        except json.JSONDecodeError as trouble:
            raise ConnectionResetError from trouble  # it was cut in the middle of the answer
        finally:
            self._drop()

    async def _ask(self, query: str, headers: str) -> asyncio.StreamReader:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        if self._is_over:  # it was closed while it connected
            self._drop()
            raise ConnectionResetError
        head = f"GET /api/calls/{self.call_sid}/events{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        self._writer.write(f"{head}Authorization: Bearer {self._bearer}\r\n{headers}\r\n".encode())
        return reader

    async def _head(self, reader: asyncio.StreamReader) -> None:
        async with asyncio.timeout(ANSWER_S_MAX):
            head = await reader.readuntil(b"\r\n\r\n")
        status = head.decode().splitlines()[0]
        if status.startswith("HTTP/1.1 503"):
            self.put_off += (
                1  # a disk that is too slow for a moment: one asks again, as a page does
            )
            raise ConnectionResetError
        if not status.startswith("HTTP/1.1 200"):
            self.failures.append(status)
            raise ConnectionResetError

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        """Return the next chunk; empty at the end of the stream."""
        size = int(await reader.readline() or b"0", 16)
        return (await reader.readexactly(size + 2))[:-2]

    def _take(self, event: bytes) -> None:
        fields = dict(_fields(event.decode()))
        if fields.get("event") == "reset":
            self.resets += 1
        elif fields.get("event") == "record":
            self._note(json.loads(fields["data"]))
        elif fields.get("event"):
            self.failures.append(event.decode())
        self._offset = fields.get("id", self._offset)

    def _note(self, told: Json) -> None:
        self.seen.append((told["position"], told.get("text", "")))

    def _drop(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(OSError):
                writer.close()


def _fields(event: str) -> Iterator[tuple[str, str]]:
    for line in event.splitlines():
        name, _, value = line.partition(": ")
        if name:
            yield name, value
