"""A primary that is cut off or stands still under load, in small: tests/bench/failover.py does it often."""

from pathlib import Path

import pytest

from tests.bench.failover import PHASES, Failover
from tests.standins.towns import ClusterTown, SentinelTown

LOADED_MS = 15_000  # how long a machine that has other work may take; the command expects more


@pytest.mark.asyncio
@pytest.mark.timeout(90)
@pytest.mark.parametrize(("kind", "phase"), [(SentinelTown, PHASES[0]), (ClusterTown, PHASES[4])])
async def test_nothing_acknowledged_is_lost_when_another_becomes_primary(
    tmp_path: Path, kind: type[SentinelTown | ClusterTown], phase: str
) -> None:
    """R-1, R-3, R-5: nor doubled, and no two owners write with one fence."""
    with kind(tmp_path, is_cuttable=True) as town:
        failover = Failover(town, phase, 0)
        await failover.run(is_whole_after=False, after_switch_ms_max=LOADED_MS)
        assert not failover.log.broken
        assert failover.log.counts["acked"] > 100
        assert failover.log.counts["fenced"] > 0
