"""Callers who knock and listen for the echo, in a process of their own.

    python -m tests.bench._knocks PORT CALLS SECONDS [service|bare]

Their lines are silent but for one frame of 20 ms every half a second, which is like no other of the same ten
seconds. Prints one line of JSON for the window after the start: how many microseconds passed from each such frame,
sent, to the message that brings it back, how many never came back, how late the server's loop was, and how late
this process sent what was due.
"""

import asyncio
import base64
import json
import os
import random
import sys
from typing import Any

import uvloop
from typing_extensions import override

from service.audio import FRAME_SAMPLES, SILENCE
from service.clock import Clock
from tests.bench._lines import (
    CYCLE_FRAMES,
    DECODER,
    GATHER_AT_ONCE,
    Line,
    _beat,
    _hush,
    _told,
    rung,
)
from tests.bench._used import Lateness, used

KNOCK_EVERY = 25  # frames: half a second, in which the echo before was played to its end
WARM_S = 3
LEFT_S = 2  # for the last echoes; what comes later is lost


def knocks() -> list[bytes]:
    """Return one cycle of a knocking caller's sound, frame by frame, as base64."""
    chance, silence = random.Random(2), SILENCE * FRAME_SAMPLES
    return [
        base64.b64encode(silence if number % KNOCK_EVERY else _hush(chance))
        for number in range(CYCLE_FRAMES)
    ]


class Knocker(Line):
    """One caller, who keeps in mind when each knock was sent."""

    clock = Clock()

    def __init__(self, port: int, stream: str, call_sid: str, token: str) -> None:
        super().__init__(port, stream, call_sid, token, is_mute=False)
        self.is_counting = False
        self.each_us: list[int] = []
        self.knocked_us: dict[bytes, int] = {}

    @override
    def tick(self, frames: list[bytes], number: int, now_ms: int) -> None:
        """Send the frame of this moment."""
        at = (self._phase + number) % CYCLE_FRAMES
        if self.is_counting and not at % KNOCK_EVERY:
            self.knocked_us[base64.b64decode(frames[at])] = self.clock.now_us()
        super().tick(frames, number, now_ms)

    @override
    def take(self, payload: bytes) -> None:
        """See whether it is a knock that comes back."""
        media = DECODER.decode(payload).media
        if media is not None and media.payload in self.knocked_us:
            self.each_us.append(self.clock.now_us() - self.knocked_us.pop(media.payload))
        super().take(payload)


async def _opened(port: int, number: int, *, is_bare: bool) -> Knocker:
    call_sid, stream, token = await rung(port, number, is_bare=is_bare)
    _, line = await asyncio.get_running_loop().create_connection(
        lambda: Knocker(port, stream, call_sid, token), "127.0.0.1", port
    )
    await line.opened
    return line


async def run(port: int, calls: int, seconds: int, *, is_bare: bool) -> dict[str, Any]:
    """Open the calls, let them run warm, and count what is knocked for a while."""
    lines: list[Line] = []
    knockers: list[Knocker] = []
    gate, lateness = asyncio.Semaphore(GATHER_AT_ONCE), Lateness()

    async def one(number: int) -> None:
        async with gate:
            knockers.append(await _opened(port, number, is_bare=is_bare))
            lines.append(knockers[-1])

    running = asyncio.create_task(_beat(lines, knocks(), lateness))
    await asyncio.gather(*(one(number) for number in range(calls)))
    await asyncio.sleep(WARM_S)
    await _told(port)
    lateness.told()
    mine = used()["cpu_us"]
    for is_counting, wait_s in ((True, seconds), (False, LEFT_S)):
        for line in knockers:
            line.is_counting = is_counting
        await asyncio.sleep(wait_s)
    callers = {"cpu_us": used()["cpu_us"] - mine, "lag_us": lateness.told()}
    after = await _told(port)
    running.cancel()
    return {
        "each_us": sorted(us for line in knockers for us in line.each_us), "open": sum(line.is_open for line in lines),
        "lost": sum(len(line.knocked_us) for line in knockers), "lag_us": after["lag_us"], "callers": callers,
        "wall_ms": (seconds + LEFT_S) * 1_000,
    }  # fmt: skip


def main() -> None:
    """Knock as told."""
    (port, calls, seconds), words = map(int, sys.argv[1:4]), sys.argv[4:]
    if len(cores := sorted(os.sched_getaffinity(0))) > 1:
        os.sched_setaffinity(0, cores[1:])
    print(json.dumps(uvloop.run(run(port, calls, seconds, is_bare="bare" in words))))  # noqa: T201 - its only output


if __name__ == "__main__":
    main()
