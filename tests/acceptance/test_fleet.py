"""A fleet in small: what `python -m tests.fleet` measures, with fewer callers and shorter times.

Each run judges itself, by what callers heard and what the API says: see tests/fleet.
"""

import pytest

from service.chaos.report import Report
from tests.fleet import dead_peers, herd, kill, restart, rolling
from tests.fleet.options import Options

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]


def kept(report: Report) -> bool:
    """Say whether every rule was kept; the table is told when not."""
    assert report.broken == [], report.text()
    return True


async def test_a_rolling_restart_moves_the_calls_and_ends_none() -> None:
    """O-9, G8: nothing acknowledged is lost, nobody is greeted twice."""
    assert kept(await rolling.run(Options(calls=10, rounds=2, media_ms=200)))


async def test_the_calls_of_a_lone_server_come_back_to_its_next_process() -> None:
    """O-9."""
    assert kept(await restart.run(Options(calls=5, rounds=1, media_ms=200, store="sqlite")))


async def test_a_killed_servers_calls_go_on_with_the_other_one() -> None:
    """G1: nothing acknowledged is lost, nobody is greeted twice, all are back within 10 s."""
    assert kept(await kill.run(Options(calls=10, rounds=1, media_ms=200)))


async def test_dead_peers_are_let_go() -> None:
    """O-3, G7: sockets and tasks are free within six seconds, half-open or never reading."""
    assert kept(await dead_peers.run(Options(calls=10, media_ms=200)))


async def test_a_herd_comes_back() -> None:
    """O-1, G4: all streams cut at once."""
    assert kept(await herd.run(Options(calls=20, rounds=1, media_ms=200, slack=5)))
