"""Callers by the thousand, in a process of their own: real sockets, frames of 20 ms in real time.

    python -m tests.bench._lines PORT CALLS SECONDS [service|bare] [talk|mute] [own-core|any-core] [WORKERS]

With `service` each call begins as a real one does: a signed webhook, its document, a signed upgrade, the
token. `bare` servers are dialled at once. Each caller speaks for four seconds of ten, from a recording,
and makes the sound of a quiet line for the rest. They stay off the first core, which is the server's, unless any
will do. Prints one line of JSON for the window after the start, `callers` for what this very process used and how
late it sent what was due; of WORKERS processes behind the port it asks each.

A message is late when the carrier had run out of what it came to continue for more than LATE_MS: the
caller heard a hole.
"""

import asyncio
import base64
import json
import os
import random
import secrets
import sys
import urllib.request
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import uvloop
from typing_extensions import override

from service.audio import FRAME_SAMPLES, SAMPLES_PER_MS, encode
from service.simulator import signing
from tests.bench._accounts import ACCOUNT
from tests.bench._used import Lateness, used
from tests.bench._wire import Wire, way_in

FRAME_S = 0.02
SLOTS = 20  # callers aren't in step: each twentieth sends in a millisecond of its own
LATE_MS = 25
BREAK_MS = 1_000  # a longer silence of ours was a pause between two answers
CYCLE_FRAMES, SPEECH_FRAMES = 500, 200
SPEAKS = Path(__file__).parents[2] / "fixtures/audio/caller_david_long.ulaw"
GATHER_AT_ONCE = 16
ASKED_MAX, ASK_S = 1_000, 0.01  # until each worker is up, and has taken a connection


class _Body(msgspec.Struct):
    payload: bytes = b""


class _Name(msgspec.Struct):
    name: str = ""


class _Message(msgspec.Struct, rename="camel"):
    event: str
    stream_sid: str = ""
    media: _Body | None = None
    mark: _Name | None = None


DECODER = msgspec.json.Decoder(_Message)


def sounds() -> list[bytes]:
    """Return one cycle of a caller's sound, frame by frame, as base64."""
    chance = random.Random(1)
    speech = SPEAKS.read_bytes()
    line = bytearray()
    for number in range(CYCLE_FRAMES):
        at = number * FRAME_SAMPLES % (len(speech) - FRAME_SAMPLES)
        is_speech = number < SPEECH_FRAMES
        line += speech[at : at + FRAME_SAMPLES] if is_speech else _hush(chance)
    return [
        base64.b64encode(line[at : at + FRAME_SAMPLES]) for at in range(0, len(line), FRAME_SAMPLES)
    ]


def _hush(chance: random.Random) -> bytes:
    return encode(b"".join(chance.randrange(-40, 40).to_bytes(2, "little", signed=True)
                           for _ in range(FRAME_SAMPLES)))  # fmt: skip


class Line(Wire):
    """One stream, from the carrier's side."""

    def __init__(self, port: int, stream: str, call_sid: str, token: str, *, is_mute: bool) -> None:
        super().__init__(port, stream, call_sid, token)
        self._sid = self.stream_sid.encode()
        self._phase = SPEECH_FRAMES + 50 if is_mute else secrets.randbelow(CYCLE_FRAMES)
        self._is_mute = is_mute
        self.sent = self.messages = self.late = self.clears = 0
        self.heard_samples = 0
        self._plays_until_ms = 0
        self._marks: deque[tuple[int, str]] = deque()

    def tick(self, frames: list[bytes], number: int, now_ms: int) -> None:
        """Send the frame of this moment, and the marks that have played."""
        at = self._phase if self._is_mute else (self._phase + number) % CYCLE_FRAMES
        self.sent += 1
        self.write(
            b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d","timestamp":"%d","payload":"%b"},"streamSid":"%b"}'
            % (self.sent + 1, self.sent, self.sent * 20, frames[at], self._sid)
        )
        while self._marks and self._marks[0][0] <= now_ms:
            self._echo(self._marks.popleft()[1])

    def _echo(self, name: str) -> None:
        self.write(b'{"event":"mark","sequenceNumber":"%d","mark":{"name":"%b"},"streamSid":"%b"}'
                   % (self.sent + 2, name.encode(), self._sid))  # fmt: skip

    @override
    def take(self, payload: bytes) -> None:
        """Count it, and play it."""
        message, now_ms = DECODER.decode(payload), _now_ms()
        self.messages += 1
        if message.media is not None:
            behind_ms = now_ms - self._plays_until_ms
            self.late += LATE_MS < behind_ms < BREAK_MS
            length = len(message.media.payload)
            self.heard_samples += length
            self._plays_until_ms = max(now_ms, self._plays_until_ms) + length // SAMPLES_PER_MS
        elif message.mark is not None:
            self._marks.append((self._plays_until_ms, message.mark.name))
        elif message.event == "clear":
            self.clears += 1
            self._plays_until_ms = 0
            while self._marks:
                self._echo(self._marks.popleft()[1])


def _now_ms() -> int:
    return round(asyncio.get_running_loop().time() * 1_000)


def _asked(url: str, number: int) -> tuple[str, str, str]:
    """Ring: return the CallSid, the stream's address and its token."""
    call_sid = f"CA{secrets.token_hex(16)}"
    fields = [("CallSid", call_sid), ("AccountSid", ACCOUNT.account_sid), ("From", f"+1555{number:07d}"),
              ("To", "+15550000001"), ("CallStatus", "ringing"), ("Direction", "inbound")]  # fmt: skip
    headers = {signing.HEADER: signing.signature(ACCOUNT.auth_token, f"{url}/twiml/voice", fields)}
    request = urllib.request.Request(f"{url}/twiml/voice", urlencode(fields).encode(), headers)  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - likewise
        document = answer.read().decode()
    way = way_in(document)
    assert way is not None, document
    return call_sid, *way


async def _opened(port: int, number: int, *, is_bare: bool, is_mute: bool) -> Line:
    loop = asyncio.get_running_loop()
    call_sid, stream, token = await rung(port, number, is_bare=is_bare)
    _, line = await loop.create_connection(
        lambda: Line(port, stream, call_sid, token, is_mute=is_mute), "127.0.0.1", port
    )
    await line.opened
    return line


async def rung(port: int, number: int, *, is_bare: bool) -> tuple[str, str, str]:
    """Ring, unless the server is bare: return the CallSid, the stream's address and its token."""
    if is_bare:
        return "CA" + "0" * 32, "", ""
    url = f"http://127.0.0.1:{port}"
    return await asyncio.get_running_loop().run_in_executor(None, _asked, url, number)


async def _told(port: int, workers: int = 1) -> dict[str, Any]:
    """Return what the server used so far: all its processes together, and the latest loop of them."""

    def ask() -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/bench/now", timeout=30) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found

    told: dict[int, dict[str, Any]] = {}
    for _ in range(ASKED_MAX):
        # At once, so that one worker has not taken the first connection when the next one comes.
        for one in await asyncio.gather(*(asyncio.to_thread(ask) for _ in range(workers))):
            told.setdefault(one["pid"], one)
        if len(told) == workers:
            return joined(list(told.values()))
        await asyncio.sleep(ASK_S)
    raise TimeoutError(f"{len(told)} of {workers} workers answered")


def joined(told: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what several processes used as one."""
    sums = {name: sum(one[name] for one in told) for name in ("cpu_us", "kib", "own_kib")}
    names = {name for one in told for name in one["lag_us"]}
    lag_us = {name: max(one["lag_us"].get(name, 0) for one in told) for name in names}
    return sums | {"lag_us": lag_us, "each_us": {one["pid"]: one["cpu_us"] for one in told}}


async def run(
    port: int, calls: int, seconds: int, *, is_bare: bool, is_mute: bool, workers: int = 1
) -> Mapping[str, object]:
    """Open the calls, let them run warm, measure for a while."""
    frames, gate = sounds(), asyncio.Semaphore(GATHER_AT_ONCE)
    lines: list[Line] = []
    empty = await _told(port, workers)

    async def one(number: int) -> None:
        async with gate:
            lines.append(await _opened(port, number, is_bare=is_bare, is_mute=is_mute))

    lateness = Lateness()
    running = asyncio.create_task(_beat(lines, frames, lateness))
    await asyncio.gather(*(one(number) for number in range(calls)))
    await asyncio.sleep(5)
    before, counted, mine = await _told(port, workers), _counts(lines), used()
    began_s = asyncio.get_running_loop().time()
    lateness.told()
    await asyncio.sleep(seconds)
    callers = {"cpu_us": used()["cpu_us"] - mine["cpu_us"], "lag_us": lateness.told()}
    after, now = await _told(port, workers), _counts(lines)
    wall_s = asyncio.get_running_loop().time() - began_s
    running.cancel()
    counts = {name: now[name] - counted[name] for name in now}
    each_us = [us - before["each_us"][pid] for pid, us in after["each_us"].items()]
    return counts | {
        "calls": calls, "open": sum(line.is_open for line in lines), "wall_ms": round(wall_s * 1_000),
        "cpu_us": sum(each_us), "each_us": each_us, "kib": after["kib"] - empty["kib"],
        "lag_us": after["lag_us"], "callers": callers,
    }  # fmt: skip


def _counts(lines: list[Line]) -> dict[str, int]:
    return {
        name: sum(getattr(line, name) for line in lines)
        for name in ("sent", "messages", "late", "clears", "heard_samples")
    }


async def _beat(lines: list[Line], frames: list[bytes], lateness: Lateness) -> None:
    """Send what is due, a twentieth of the callers at a time."""
    loop = asyncio.get_running_loop()
    began_s, slot = loop.time(), 0
    while True:
        now_ms = _now_ms()
        for line in lines[slot % SLOTS :: SLOTS]:
            if line.is_open:
                line.tick(frames, slot // SLOTS, now_ms)
        slot += 1
        due_s = began_s + slot * FRAME_S / SLOTS
        await asyncio.sleep(max(0.0, due_s - loop.time()))
        lateness.note(max(0.0, loop.time() - due_s))


def main() -> None:
    """Run as told."""
    (port, calls, seconds), words = map(int, sys.argv[1:4]), sys.argv[4:]
    if "any-core" not in words and len(cores := sorted(os.sched_getaffinity(0))) > 1:
        os.sched_setaffinity(0, cores[1:])
    workers = next((int(word) for word in words if word.isdigit()), 1)
    doing = run(
        port, calls, seconds, is_bare="bare" in words, is_mute="mute" in words, workers=workers
    )
    print(json.dumps(dict(uvloop.run(doing))))  # noqa: T201 - its only output


if __name__ == "__main__":
    main()
