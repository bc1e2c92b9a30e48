"""Many seeds, on several cores, with the figures as they come."""

import gc
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from service.clock import Clock
from tests.simulation.world import Result, run

TOLD_EVERY = 100  # seeds between two lines of progress
CHUNK = 2  # seeds that one worker takes at a time, and tells of when all are done
BROKEN_MAX = 20  # then something is so wrong that more of it tells nothing new


def run_all(first: int, seeds: int, workers: int) -> int:
    """Run the seeds, tell of progress and of every broken rule; return the exit code."""
    clock = Clock()
    begun_ms, virtual_ms, steps, done = clock.now_ms(), 0, 0, 0
    broken: list[Result] = []
    with ProcessPoolExecutor(workers, initializer=_settle_in) as pool:
        for result in pool.map(run, range(first, first + seeds), chunksize=CHUNK):
            done, virtual_ms, steps = done + 1, virtual_ms + result.virtual_ms, steps + result.steps
            if result.broken:
                broken.append(result)
                _say(f"seed {result.seed}: {result.broken}\n{result.story}\n")
            if done % TOLD_EVERY == 0 or done == seeds:
                rate = 1_000 * done / max(1, clock.now_ms() - begun_ms)
                hours = virtual_ms / 3_600_000
                _say(
                    f"{done} seeds, {rate:.1f} a second, {hours:.1f} hours, {steps} checks, "
                    f"{len(broken)} broken"
                )
            if len(broken) >= BROKEN_MAX:
                pool.shutdown(cancel_futures=True)
                break
    if broken:
        rules = Counter(result.rule for result in broken)
        _say(f"broken: {dict(rules)} by the seeds {[result.seed for result in broken]}")
    return int(bool(broken))


def _settle_in() -> None:
    """Look for nothing in what was there before the first run."""
    gc.collect()
    gc.freeze()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
