"""What a call weighs: memory of the server's process for each call, idle and talking.

    python -m tests.bench.weight [CALLS ...]          by default 1, 100, 300 and 1,000

The calls of each column are added to those of the column before, on real sockets, through webhook, upgrade
and token. An idle call's line is quiet and nobody says anything. A talking one's caller speaks for four
seconds of ten and is answered each time, so that there is an utterance in the ear, an answer on its way
out, and a conversation in mind. Their sound comes slower than in real time: what is weighed is what a call
keeps, not how busy it is. Memory is what the kernel counts as the process' own (resident, unshared).

The last line is the slope between the first column and the last: what one more call costs.
"""

import asyncio
import sys

from tests.bench._figures import Figure, tell
from tests.bench._lines import FRAME_S, Line, _now_ms, _opened, _told, sounds
from tests.bench.frames import served

CALLS = (1, 100, 300, 1_000)
OPENED_AT_ONCE = 8
GOALS_KIB = {"idle": 64, "talking": 256}
# A twenty-fifth of a caller's second in a second: the stream is never silent for long, and costs little.
IDLE_FRAMES_A_S = 2
TALK_FRAMES_A_S = 10
SETTLE_S = 6
TALK_S = 40  # one and a half rounds of ten seconds each at a fifth of their pace


async def _beat(lines: list[Line], frames: list[bytes], a_second: int) -> None:
    """Have every caller send so many frames a second, evenly, until cancelled."""
    loop = asyncio.get_running_loop()
    slots = round(1 / FRAME_S / a_second) * 4
    slot, began_s = 0, loop.time()
    while True:
        now_ms = _now_ms()
        for line in lines[slot % slots :: slots]:
            if line.is_open:
                line.tick(frames, slot // slots, now_ms)
        slot += 1
        due_s = began_s + slot / a_second / slots
        await asyncio.sleep(max(0.0, due_s - loop.time()))


async def weighed(port: int, counts: tuple[int, ...], *, is_mute: bool) -> list[int]:
    """Return the KiB of the server with each number of calls, behind those with none."""
    lines: list[Line] = []
    gate = asyncio.Semaphore(OPENED_AT_ONCE)
    a_second = IDLE_FRAMES_A_S if is_mute else TALK_FRAMES_A_S
    running = asyncio.create_task(_beat(lines, sounds(), a_second))
    await _warmed(port)
    found = [(await _told(port))["own_kib"]]

    async def one(number: int) -> None:
        async with gate:
            lines.append(await _opened(port, number, is_bare=False, is_mute=is_mute))

    for count in counts:
        await asyncio.gather(*(one(number) for number in range(len(lines), count)))
        await asyncio.sleep(SETTLE_S if is_mute else TALK_S)
        assert sum(line.is_open for line in lines) == count, "a call was lost"
        found.append((await _told(port))["own_kib"])
    running.cancel()
    return found


async def _warmed(port: int) -> None:
    """Have one call come and go, so that what the first one loads is not weighed."""
    line = await _opened(port, 9_999_999, is_bare=False, is_mute=True)
    await asyncio.sleep(1)
    line._transport.abort()


def main() -> None:
    """Weigh and print."""
    counts = tuple(int(word) for word in sys.argv[1:]) or CALLS
    sys.stdout.write(
        f"{'KiB':10}{'none':>10}" + "".join(f"{n:>10}" for n in counts) + f"{'a call':>10}\n"
    )
    for kind, manner in (("idle", "mute"), ("talking", "service")):
        with served(manner) as port:
            found = asyncio.run(weighed(port, counts, is_mute=kind == "idle"))
        slope = (found[-1] - found[1]) / max(1, counts[-1] - counts[0])
        sys.stdout.write(
            f"{kind:10}" + "".join(f"{kib:>10,}" for kib in found) + f"{slope:>10.1f}\n"
        )
        tell(Figure(f"memory of a call, {kind}", slope, "KiB", goal_max=GOALS_KIB[kind]))


if __name__ == "__main__":
    main()
