"""How many calls a tenant may have at once in this process, so that one tenant's rush is no other's trouble.

    it rings ──> a place is free ──> coming, for COMING_MS ──> a session of the tenant's ──> over
                     └── none: the caller hears that all lines are busy, or their page is told

A place is looked for and taken in one step of the event loop. Whoever is in is never asked again: a stream
that comes back, a webhook that is repeated, and a call that we ring back need no place.
"""

import logging

from service.clock import Clock
from service.meter import Meter
from service.switchboard.switchboard import Switchboard
from service.trust.tenants import Tenants

COMING_MS = (
    15_000  # from our answer to the first stream's session: the carrier needs a second or two
)

_log = logging.getLogger(__name__)


class Allotment:
    """The places of all tenants whose `calls_max` says how many there are."""

    def __init__(
        self, tenants: Tenants, switchboard: Switchboard, meter: Meter, clock: Clock
    ) -> None:
        self._tenants = tenants
        self._switchboard = switchboard
        self._meter = meter
        self._clock = clock
        self._coming: dict[str, dict[str, int]] = {}  # by tenant: its calls, and since when

    def admits(self, tenant: str, call_sid: str) -> bool:
        """Take a place for the call, or say that there is none. One that has a place keeps it."""
        calls_max = self._tenants.calls_max(tenant)
        if not calls_max:
            return True
        now_ms = self._clock.now_ms()
        coming = {
            sid: since_ms
            for sid, since_ms in self._coming.get(tenant, {}).items()
            if now_ms - since_ms < COMING_MS
        }
        self._coming[tenant] = coming
        taken = self._switchboard.of_tenant(tenant) | coming.keys()
        if call_sid not in taken and len(taken) >= calls_max:
            return False
        coming.setdefault(call_sid, now_ms)
        return True

    def tell(self, call_sid: str) -> None:
        """Count and log a call that was refused."""
        self._meter.refused.labels(door="tenant").inc()
        _log.warning(
            "! a call was refused: its tenant has as many as it may",
            extra={"action": "tenant_full", "call_sid": call_sid},
        )
