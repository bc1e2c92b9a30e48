"""What a process used, and how late its loop was."""

import asyncio
import math
import os
import resource

STEP_S = 0.005


def used() -> dict[str, int]:
    """Return who this process is, the microseconds of CPU that it used so far, and its memory in KiB."""
    times = resource.getrusage(resource.RUSAGE_SELF)
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - a file of the kernel's
        _, resident, shared, *_ = map(int, statm.read().split())
    page_kib = os.sysconf("SC_PAGE_SIZE") // 1024
    return {
        "pid": os.getpid(),
        "cpu_us": round((times.ru_utime + times.ru_stime) * 1e6),
        "kib": resident * page_kib,
        "own_kib": (resident - shared) * page_kib,
    }


class Lateness:
    """How late things were, each for itself."""

    def __init__(self) -> None:
        self._late_us: list[int] = []

    def note(self, late_s: float) -> None:
        """One more was so late."""
        self._late_us.append(round(late_s * 1e6))

    def told(self) -> dict[str, int]:
        """Return the lateness since the last time this was asked, in microseconds, by thousandths."""
        late, self._late_us = sorted(self._late_us), []
        if not late:
            return {}
        return {
            name: late[min(len(late) - 1, len(late) * of // 1_000)]
            for name, of in (("p50", 500), ("p99", 990), ("p999", 999))
        } | {"max": late[-1]}


class Lag(Lateness):
    """How late the loop was with what was due, every five milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self._has_begun = False

    def begin(self) -> None:
        """Begin to look, once a loop runs."""
        if not self._has_begun:
            self._has_begun = True
            self._look(asyncio.get_running_loop().time())

    def _look(self, due_s: float) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        # Each moment has its own date, so that a long wait counts as all the moments it covered.
        while due_s <= now_s:
            self.note(now_s - due_s)
            due_s += STEP_S
        # uvloop counts in whole milliseconds, and what is due in less than half of one it calls at once: so it
        # is asked for the next whole one, or this would keep a core busy by itself.
        loop.call_later(math.ceil((due_s - now_s) * 1_000) / 1_000, self._look, due_s)
