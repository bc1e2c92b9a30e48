"""The process whose instructions are counted while streams come back to it; see resume_cost.py.

    valgrind --tool=callgrind … python -m tests.bench._counted_resumes FOLDER SHIM

The whole service listens on a real socket, in uvloop, as it does when it serves. Time stands still while it is
counted, so that no lease, ping or pace of speech is in it, however long the counting takes. What the carrier's
end does is in it: it connects, says who it is and reads, and is not worth taking off.
"""

import asyncio
import os
import secrets
import socket
import sys
from contextlib import closing
from pathlib import Path
from select import select

import uvloop

from service import config as settings, serving
from service.clock import Clock
from service.journal.stores import connect
from service.parts import Parts
from service.trust.token import TokenMint
from service.workers import worker
from tests.bench import _talking
from tests.bench._accounts import ACCOUNT
from tests.bench._counted import HOST, _alone, _fail, elapse
from tests.bench._phones import THREADS_S, Counter, masked
from tests.bench._returns import name_of
from tests.bench._wire import CONNECTED, greeting
from tests.bench.frames import _settings
from tests.bench.resume import prepared
from tests.conftest import free_port

WARM, COUNTED = 4, 8  # the first of all load what later ones find
CLAUSE = "Are you there?"
TTL_MS = 3_600_000
HELD_S = 3  # the streams say what they have to say before they end

Lines = dict[str, socket.socket]


async def written(folder: str) -> None:
    """Write the journals that the streams come back to."""
    journal, clock = connect(f"sqlite:///{folder}/calls.db", ttl_ms=TTL_MS), Clock()
    await journal.start()
    for number in range(WARM + COUNTED):
        await prepared(journal, name_of(number), clock, CLAUSE)
    await journal.close()


async def come_back(port: int, mint: TokenMint, now_ms: int, numbers: range) -> Lines:
    """Have streams come back one after the other, each until its first sound."""
    loop = asyncio.get_running_loop()
    lines: Lines = {}
    for number in numbers:
        call_sid, nonce = name_of(number), secrets.token_urlsafe(12)
        token = mint.issue(call_sid, door="resume", is_known=True, nonce=nonce, now_ms=now_ms)
        stream = f"ws://{HOST}:{port}/media"
        hello, start = greeting(port, stream, call_sid, token, f"MZ{number:032x}")
        line = lines[call_sid] = socket.socket()
        line.settimeout(0)
        await loop.sock_connect(line, (HOST, port))
        await loop.sock_sendall(line, hello)
        answer = await loop.sock_recv(line, 65_536)
        assert answer.startswith(b"HTTP/1.1 101"), answer
        await loop.sock_sendall(line, masked(CONNECTED) + masked(start))
        while b'"event":"media"' not in answer:
            answer = await loop.sock_recv(line, 65_536)
            assert answer, "refused"
    return lines


async def end(parts: Parts, lines: Lines) -> None:
    """End the streams without a word, and wait until that is written of each."""
    for call_sid, line in lines.items():
        with closing(line):
            session = parts.switchboard.find(call_sid)
            assert session is not None
        while session.call.phase != "detached":
            select((), (), (), THREADS_S)
            await asyncio.sleep(0)


async def counted(counter: Counter, folder: str) -> None:
    """Count what streams cost that come back, and what their ends cost."""
    port = free_port()
    await written(folder)
    os.environ |= _settings(port, folder, "mute")
    server = worker.made(_talking.made, settings.load())
    running = asyncio.create_task(
        worker._steadied(server, server.serve(serving.listening(HOST, port)))
    )
    await elapse(counter, server.serving.is_set)
    await _alone(counter)
    mint = TokenMint((ACCOUNT.auth_token,))
    parts: Parts = server.config.app.state.parts  # type: ignore[union-attr] # ours, from create_app
    lines = await come_back(port, mint, counter.now_ms, range(WARM))
    await end(parts, lines)
    counter.begin()
    lines = await come_back(port, mint, counter.now_ms, range(WARM, WARM + COUNTED))
    counter.end("back")
    held_ms = counter.now_ms + HELD_S * 1_000
    await elapse(counter, lambda: counter.now_ms >= held_ms)
    counter.begin()
    await end(parts, lines)
    counter.end("end")
    running.cancel()


async def _main(folder: str, shim: str) -> None:
    asyncio.get_running_loop().set_exception_handler(_fail)
    await counted(Counter(shim), folder)
    os._exit(0)  # what still waits for its time would wait for ever


if __name__ == "__main__":
    assert Path(sys.argv[1]).is_dir()
    uvloop.run(_main(*sys.argv[1:3]))
