"""The process whose instructions are counted: each kind of server in turn, and the callers it serves.

    valgrind --tool=callgrind … python -m tests.bench._counted FOLDER SHIM          see instructions.py

Servers listen on real sockets, in uvloop, as they do when they serve. Time is not the machine's: it moves on
with each frame, so leases, pings, levels, pauses and turns come as often as in life, however long the counting
takes. What the callers cost is counted at the end, with their bytes going nowhere, to be taken off. What is left
contains a whole turn of the loop for each frame; a busy loop takes several frames in one.

Prints one line of JSON: the frames and messages of each count.
"""

import asyncio
import json
import os
import socket
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from select import select
from typing import Any, NoReturn

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from service import config as settings, serving
from service.parts import Parts
from service.workers import worker
from tests.bench import _sample, _talking
from tests.bench._lines import CYCLE_FRAMES, SPEECH_FRAMES, rung, sounds
from tests.bench._phones import ROUND_NS, THREADS_S, Counter, Phone, drive, masked, media, rehearse
from tests.bench._wire import CONNECTED, greeting
from tests.bench.frames import _settings
from tests.conftest import free_port

CALLS = 5
ROUNDS = CYCLE_FRAMES  # one cycle of a caller's, who speaks for four seconds of ten
FRAMES = CALLS * ROUNDS
HOST = "127.0.0.1"

Counts = dict[str, int]  # how many messages came of us in each count


class Lines:
    """The lines to one server, and what came on each in every count."""

    def __init__(self, counter: Counter, port: int) -> None:
        self._counter = counter
        self._port = port
        self._sounds = sounds()
        self._phones: list[Phone] = []
        self._sids: list[str] = []
        self._sockets: list[socket.socket] = []
        self._came: list[deque[bytes]] = []
        self._of: dict[str, list[deque[bytes]]] = {}
        self._sent = 0

    async def open(self, *, is_bare: bool) -> None:
        """Have the callers call."""
        for number in range(CALLS):
            call_sid, stream, token = await rung(self._port, number, is_bare=is_bare)
            stream_sid = f"MZ{number:032x}"
            hello, start = greeting(self._port, stream, call_sid, token, stream_sid)
            line = socket.create_connection((HOST, self._port))
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.settimeout(0)
            line.send(hello)
            answer = await asyncio.get_running_loop().sock_recv(line, 65_536)
            assert answer.startswith(b"HTTP/1.1 101"), answer
            line.send(masked(CONNECTED) + masked(start))
            self._sids.append(stream_sid)
            self._sockets.append(line)
            self._came.append(deque())
            self._phones.append(Phone(line.send, partial(self._read, number)))

    def _read(self, number: int) -> bytes:
        octets = b""
        with suppress(BlockingIOError):
            octets = self._sockets[number].recv(65_536)
        self._came[number].append(octets)
        return octets

    async def cycle(self, name: str = "", *, is_quiet: bool = False) -> Counts:
        """Have each go through one cycle; count it, if it has a name."""
        self._came = [deque() for _ in self._phones]
        for phone, frames in zip(self._phones, self.prepared(is_quiet=is_quiet), strict=True):
            phone.takes(frames)
        if name:
            self._of[name] = self._came
            self._counter.begin()
        await drive(self._phones, self._counter, ROUNDS)
        if name:
            self._counter.end(name)
        return {name: sum(phone.messages for phone in self._phones)}

    def prepared(self, *, is_quiet: bool) -> list[list[bytes]]:
        """Return what each is to send in one cycle, none of them in step with another."""
        rows = []
        for number, stream_sid in enumerate(self._sids):
            at = number * ROUNDS // CALLS
            quiet = [self._sounds[SPEECH_FRAMES + 50]] * ROUNDS
            payloads = quiet if is_quiet else self._sounds[at:] + self._sounds[:at]
            rows.append(media(self._sent, payloads, stream_sid))
        self._sent += ROUNDS
        return rows

    def close(self) -> None:
        """Have all hang up, and count what they themselves did in each cycle."""
        for line in self._sockets:
            line.close()
        kind = socket.SOCK_DGRAM
        with socket.socket(type=kind) as nobody, socket.socket(type=kind) as nowhere:
            nobody.bind((HOST, 0))
            nowhere.connect(nobody.getsockname())
            for name, came in self._of.items():
                twins = [Phone(nowhere.send, octets.popleft) for octets in came]
                for twin, frames in zip(twins, self.prepared(is_quiet=False), strict=True):
                    twin.takes(frames)
                self._counter.begin()
                rehearse(twins, self._counter, ROUNDS)
                self._counter.end(f"callers of {name}")


async def elapse(counter: Counter, until: Callable[[], bool], step_ns: int = 1_000_000) -> None:
    """Let time pass, a step in each turn of the loop."""
    while not until():
        counter.elapse(step_ns)
        select((), (), (), THREADS_S)
        await asyncio.sleep(0)


async def floor(counter: Counter) -> Counts:
    """Count the least that Python can do, and the least that there is."""
    port = free_port()
    lines = Lines(counter, port)
    server = await asyncio.get_running_loop().create_server(_sample.Floor, HOST, port)
    await lines.open(is_bare=True)
    await lines.cycle()
    counts = await lines.cycle("floor")
    octets = b"".join(frame for row in lines.prepared(is_quiet=False) for frame in row)
    counter.begin()
    counter.listen_in_c(octets)
    counter.end("c")
    lines.close()
    server.close()
    return counts


async def sample(counter: Counter) -> Counts:
    """Count what the samples of carriers look like."""
    port = free_port()
    lines = Lines(counter, port)
    app = Starlette(routes=[WebSocketRoute("/media", _sample.media)])
    server = uvicorn.Server(uvicorn.Config(app, HOST, port, **_sample.SETTINGS))
    running = asyncio.create_task(server.serve())
    await elapse(counter, lambda: server.started)
    await lines.open(is_bare=True)
    await lines.cycle()
    counts = await lines.cycle("sample")
    server.should_exit = True
    await elapse(counter, running.done)
    lines.close()
    return counts


async def service(counter: Counter, folder: str) -> Counts:
    """Count all of Stayline: alone, while callers are quiet, while they speak, and while they are answered."""
    port, agent = free_port(), _talking.Answerer()
    agent.is_mute = True
    lines = Lines(counter, port)
    os.environ |= _settings(port, folder, "mute")
    server = worker.made(lambda config: _talking.made(config, agent), settings.load())
    running = asyncio.create_task(
        worker._steadied(server, server.serve(serving.listening(HOST, port)))
    )
    await elapse(counter, server.serving.is_set)
    await _alone(counter)
    await lines.open(is_bare=False)
    parts: Parts = server.config.app.state.parts  # type: ignore[union-attr] # ours, from create_app
    await elapse(counter, lambda: len(parts.switchboard) == CALLS)
    await lines.cycle()
    counts = await lines.cycle("quiet", is_quiet=True)
    await lines.cycle()
    counts |= await lines.cycle("heard")
    agent.is_mute = False
    await lines.cycle()
    counts |= await lines.cycle("talking")
    running.cancel()
    lines.close()
    return counts


async def _alone(counter: Counter) -> None:
    """Count what the process does in the time of a cycle when nobody calls, once it has settled."""
    settled_ms = counter.now_ms + ROUNDS * 20
    await elapse(counter, lambda: counter.now_ms >= settled_ms, ROUND_NS)
    over_ms = counter.now_ms + ROUNDS * 20
    counter.begin()
    await elapse(counter, lambda: counter.now_ms >= over_ms, ROUND_NS)
    counter.end("alone")


def _fail(loop: asyncio.AbstractEventLoop, trouble: dict[str, Any]) -> NoReturn:
    loop.default_exception_handler(trouble)
    sys.stderr.flush()
    os._exit(1)  # nothing would go on, and nobody would know


async def _main(folder: str, shim: str) -> None:
    asyncio.get_running_loop().set_exception_handler(_fail)
    counter = Counter(shim)
    counts = await floor(counter) | await sample(counter) | await service(counter, folder)
    print(json.dumps(counts), flush=True)  # noqa: T201 - its only output
    os._exit(0)  # what still waits for its time would wait for ever


if __name__ == "__main__":
    uvloop.run(_main(*sys.argv[1:3]))
