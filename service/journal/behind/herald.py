"""Tells the log and the meter how the store is, once a change."""

import logging
from typing import Literal, get_args

from service.journal.behind.arrears import Arrears, Standing, Status
from service.meter import Meter
from service.redaction import own_words

Asked = Literal["open", "claim", "append", "read", "snapshot", "lease", "spend", "other"]

_log = logging.getLogger(__name__)


class Herald:
    """Says what changed, loudly when it is for the worse."""

    def __init__(self, meter: Meter) -> None:
        self.standing = Standing()
        self._meter = meter
        # Asked for with each answer, and finding the series of a label costs as much as counting.
        self._seconds = {
            asked: meter.store.seconds.labels(operation=asked) for asked in get_args(Asked)
        }
        self._flushed = 0
        self._worse_ms = 0  # since when the store is not whole

    @property
    def is_calm(self) -> bool:
        """Whether all is well, as far as anybody was told."""
        return self.standing.status is Status.OK

    def failed(self) -> None:
        """A question to the store was answered late, wrongly or not at all."""
        self._meter.store.errors.inc()

    def took(self, asked: Asked, took_us: int) -> None:
        """The store was waited for; the answer may have been too late, or none."""
        self._seconds[asked].observe(took_us / 1e6)

    def branched(self) -> None:
        """A call goes on without the store."""
        self._meter.store.branches.inc()

    def orphaned(self) -> None:
        """A branch was lost to another owner."""
        self._meter.store.orphans.inc()

    def flushed(self, records: int) -> None:
        """The store took records that had waited."""
        self._flushed += records
        self._meter.store.flushed.inc(records)

    def look(self, arrears: Arrears, *, is_answering: bool, is_whole: bool, now_ms: int) -> None:
        """Take stock; tell of a change."""
        self._meter.store.behind_calls.set(arrears.calls)
        self._meter.store.behind_records.set(arrears.records)
        self._meter.store.behind_bytes.set(arrears.bytes)
        is_changed = self.standing.judge(
            arrears, is_answering=is_answering, is_whole=is_whole, now_ms=now_ms
        )
        if is_changed:
            self._tell(arrears, now_ms)

    def _tell(self, arrears: Arrears, now_ms: int) -> None:
        status = self.standing.status
        self._meter.store.degraded.set(status is not Status.OK)
        if status is Status.OK:
            _log.info(
                "= the store is whole again after %d ms; %d records were flushed",
                now_ms - self._worse_ms,
                self._flushed,
                extra={"action": "store_whole"},
            )
            self._flushed = self._worse_ms = 0
            return
        self._worse_ms = self._worse_ms or now_ms
        _log.error(
            "! the store is %s: %d calls go on without it, %d records wait",
            own_words(status),
            arrears.calls,
            arrears.records,
            extra={"action": f"store_{status}"},
        )
