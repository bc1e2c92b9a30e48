"""The tool that the callers' codes are booked with: a counter that no server of ours keeps.

    POST /book {"code": "017"}       answered after `works_s`; each effect is noted the moment it is done

A booking is not idempotent, so every effect beyond the first for one call and code is a broken rule.
"""

import asyncio
import json
from collections import Counter
from pathlib import Path

WORKS_S = 1.0  # long enough for a drop in between
BODY_BYTES_MAX = 4_096
HEAD_S_MAX = 5.0
TIMEOUT_MS = 5_000

_ANSWER = b'{"booked": true}'


class Shop:
    """Books codes. Keys and calls are what the tool's requests say of themselves."""

    def __init__(self, *, works_s: float = WORKS_S) -> None:
        self.effects: Counter[tuple[str, str]] = Counter()  # by CallSid and code
        self.keys: Counter[str] = Counter()
        self.at_work: Counter[str] = Counter()  # by CallSid
        self._works_s = works_s
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a free port of this machine."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    def describe(self, file: Path) -> None:
        """Write the file that the setting TOOLS names."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        code = {"type": "string", "description": "The code to book."}
        tool = {
            "name": "book",
            "description": "Books a code.",
            "method": "POST",
            "url": f"http://127.0.0.1:{port}/book",
            "parameters": {"type": "object", "properties": {"code": code}, "required": ["code"]},
            "idempotent": False,
            "timeout_ms": TIMEOUT_MS,
        }
        file.write_text(json.dumps([tool]), encoding="utf-8")

    def doubles(self) -> list[str]:
        """Return what was done more than once."""
        of_calls = [
            f"{sid}: {code} booked {n} times" for (sid, code), n in self.effects.items() if n > 1
        ]
        return of_calls + [
            f"the key {key} was sent {n} times" for key, n in self.keys.items() if n > 1
        ]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HEAD_S_MAX):
                head, body = await _request(reader)
            call_sid = head.get("stayline-call", "")
            self.keys[head.get("idempotency-key", "")] += 1
            self.effects[call_sid, json.loads(body)["code"]] += 1
            self.at_work[call_sid] += 1
            try:
                await asyncio.sleep(self._works_s)
            finally:
                self.at_work[call_sid] -= 1
            length = str(len(_ANSWER)).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                b"Content-Length: " + length + b"\r\n\r\n" + _ANSWER
            )
            await writer.drain()
        except (OSError, ValueError, KeyError, TimeoutError, asyncio.IncompleteReadError):
            pass  # A server that was killed asks no more; what it had done stays done.
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> tuple[dict[str, str], bytes]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines[1:] if line)
    head = {name.strip().lower(): value.strip() for name, _, value in pairs}
    length = min(int(head.get("content-length", "0")), BODY_BYTES_MAX)
    return head, await reader.readexactly(length)
