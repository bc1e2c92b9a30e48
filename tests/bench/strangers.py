"""Talking calls beside a crowd of strangers, each in a process of its own (S-3).

    python -m tests.bench.strangers [CALLS [STRANGERS]]        by default 50 and 2,000 of each kind

Strangers connect and say nothing, or half a request, or upgrade with a good signature and send no start; all of
a kind at once, one kind after the other. `lag` is how late the server's loop was, in ms; `late` are messages that
came after the carrier had run out of audio: holes that callers heard.
"""

import asyncio
import json
import subprocess
import sys
from typing import Any

from tests.bench._accounts import ACCOUNT
from tests.bench.frames import served
from tests.fleet.strangers import kinds, stranger

CALLS, STRANGERS = 50, 2_000
SECONDS = 30
WARM_S = 8  # the callers dial, and are measured from five seconds later on
GONE_MS_MAX = 10_000

Json = dict[str, Any]


async def measured(
    port: int, calls: int, strangers: int
) -> tuple[Json, dict[str, list[int | None]]]:
    """Have callers call, and strangers come meanwhile; return what was counted, and when those were let go."""
    words = [sys.executable, "-m", "tests.bench._lines", str(port), str(calls), str(SECONDS)]
    running = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE)
    gone: dict[str, list[int | None]] = {}
    await asyncio.sleep(WARM_S)
    for name, said in kinds(f"http://127.0.0.1:{port}", ACCOUNT).items():
        gone[name] = list(await asyncio.gather(*(stranger(port, said) for _ in range(strangers))))
    told, _ = await running.communicate()
    found: Json = json.loads(told)
    assert found["open"] == calls, found
    return found, gone


def main() -> int:
    """Measure without strangers and with them, and print."""
    calls, strangers = ([int(word) for word in sys.argv[1:]] + [CALLS, STRANGERS])[:2]
    is_held = True
    sys.stdout.write(f"{'':10} {'late':>5} {'lag p50':>8} {'p99':>5} {'p99.9':>6} {'max':>5}\n")
    with served("service") as port:
        for name, count in (("alone", 0), ("beside", strangers)):
            found, gone = asyncio.run(measured(port, calls, count))
            lag = [found["lag_us"][one] // 1_000 for one in ("p50", "p99", "p999", "max")]
            sys.stdout.write(
                f"{name:10} {found['late']:5} {lag[0]:8} {lag[1]:5} {lag[2]:6} {lag[3]:5}\n"
            )
            for kind, when in gone.items():
                if when:
                    worst = max(one if one is not None else 2 * GONE_MS_MAX for one in when)
                    is_held &= worst <= GONE_MS_MAX
                    sys.stdout.write(f"  {len(when)} {kind}: let go after {worst} ms at worst\n")
    return 0 if is_held else 1


if __name__ == "__main__":
    sys.exit(main())
