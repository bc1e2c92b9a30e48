"""A fleet in small: what `python -m tests.fleet` measures, with fewer callers and shorter times."""

import pytest

from tests.fleet import kill
from tests.fleet.options import Options
from tests.fleet.report import Report

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]


def kept(report: Report) -> bool:
    """Say whether every rule was kept; the table is told when not."""
    assert report.broken == [], report.text()
    return True


async def test_a_killed_servers_calls_go_on_with_the_other_one() -> None:
    """G1: nothing acknowledged is lost, nobody is greeted twice, all are back within 10 s."""
    assert kept(await kill.run(Options(calls=10, rounds=2)))
