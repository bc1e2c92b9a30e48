"""How far behind the store is, and what a health check says of it.

    ok          the store answers, nothing waits
    degraded    it does not, or something waits: calls go on, new ones may come
    down        it does not, and there is no room left to go on without it

A change is told at most once in CHANGE_MS, so that nobody's balancer flaps with a store that does.
"""

from enum import StrEnum

import msgspec

CHANGE_MS = 5_000  # O-10: at most one change in 5 s
LATE_MS = 1_000  # what waits less than this is a slow moment, not an outage


class Arrears(msgspec.Struct, frozen=True):
    """What the store is still to be told."""

    calls: int
    records: int
    bytes: int
    oldest_ms: int  # how long the oldest has waited
    is_full: bool


class Status(StrEnum):
    """What is said of the store."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


class Standing:
    """The status that is told, which lags behind the true one rather than flap."""

    def __init__(self) -> None:
        self.status = Status.OK
        self.since_ms = 0

    def judge(self, arrears: Arrears, *, is_answering: bool, is_whole: bool, now_ms: int) -> bool:
        """Look at how things are; True when the status changed.

        `is_whole` says that what is kept here is on disk.
        """
        status = self._true(arrears, is_answering=is_answering, is_whole=is_whole)
        if status is self.status or (self.since_ms and now_ms - self.since_ms < CHANGE_MS):
            return False
        self.status, self.since_ms = status, now_ms
        return True

    def _true(self, arrears: Arrears, *, is_answering: bool, is_whole: bool) -> Status:
        if arrears.is_full:
            return Status.DOWN
        if not is_answering or arrears.oldest_ms >= LATE_MS or (arrears.calls and not is_whole):
            return Status.DEGRADED
        return Status.OK
