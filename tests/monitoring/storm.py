"""A storm of drops over a fleet on virtual time, and what Prometheus would have scraped of it.

    calls ring ──> calm ──> in the storm every stream is reset once ──> calm again

The servers are the real application, the callers and the carrier are the simulation's.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from prometheus_client.parser import text_string_to_metric_families

from service.sight.alerts import MEMORY, Alerts
from service.sight.history import STEP_MS, History
from service.simulator.account import Terms
from tests.simulation.fleet import Fleet
from tests.simulation.plan import CallPlan, Fault, Plan
from tests.simulation.server import Server
from tests.simulation.world import lived

SEED = 7
CALLS = 10
SCRAPE_MS = 15_000
BEGINS_MS = 62_000  # between two scrapes, and between two steps of the built-in alerts
APART_MS = 300
LASTS_MS = 200_000  # long enough for the storm to leave every window of a minute


@dataclass
class Scraped:
    """The samples of every series, one a scrape, None while it was not there; and the built-in alerts."""

    series: dict[str, list[float | None]] = field(default_factory=dict)
    alerts: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    scrapes: int = 0

    def take(self, servers: list[Server]) -> None:
        """Scrape every server that is up."""
        for server in servers:
            for name, value in samples(server):
                row = self.series.setdefault(name, [])
                row += [None] * (self.scrapes - len(row))
                row.append(value)
        self.scrapes += 1


def samples(server: Server) -> Iterator[tuple[str, float]]:
    """Return what /metrics of a server shows, each sample's series as Prometheus would name it."""
    text = server.parts.meter.text().decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                labels = {**sample.labels, "instance": server.name, "job": "stayline"}
                named = ",".join(f'{key}="{value}"' for key, value in labels.items())
                yield f"{sample.name}{{{named}}}", sample.value


def planned(drops: int) -> Plan:
    """Return a plan in which the first `drops` calls lose their stream, one after the other."""
    calls = tuple(
        CallPlan(200 * nth, ((5_000 + 700 * nth, "orchid granite meadow"),), 0, Terms(), False)  # noqa: FBT003 - is_doubled
        for nth in range(CALLS)
    )
    faults = tuple(
        Fault(BEGINS_MS + nth * APART_MS, "drop", whom=nth, way="reset") for nth in range(drops)
    )
    return Plan(SEED, 2, (0, 0), calls, faults, LASTS_MS)


def weathered(drops: int) -> Scraped:
    """Live through it. Raises AssertionError when a rule of the simulation is broken."""
    scraped = Scraped()
    found = lived(planned(drops), lambda fleet: _watched(fleet, scraped))
    assert not found.broken, found.story
    return scraped


async def _watched(fleet: Fleet, scraped: Scraped) -> None:
    await asyncio.sleep(1)  # by then both servers are up
    judges = [(History(server.parts.meter), Alerts()) for server in fleet.servers]
    moments = sorted({*range(0, LASTS_MS, SCRAPE_MS), *range(0, LASTS_MS, STEP_MS)})
    for at_ms, next_ms in pairwise((*moments, LASTS_MS)):
        if at_ms % SCRAPE_MS == 0:
            scraped.take(fleet.servers)
        if at_ms % STEP_MS == 0:
            for history, alerts in judges:
                history.tick(at_ms)
                firing = alerts.judge(history.since(at_ms - MEMORY * STEP_MS))
                scraped.alerts.append((at_ms, tuple(one.name for one in firing)))
        await asyncio.sleep((next_ms - at_ms) / 1_000)
