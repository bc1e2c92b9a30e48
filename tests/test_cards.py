from pathlib import Path

import pytest

from tests.cards import run, run_at_carrier

NUMBERS = 60
AT_CARRIER = 8
SEED = 1
TELLING = {
    "call", "calls", "export", "files of redis", "files of redis at the end", "files of sqlite",
    "live events", "long poll", "person", "records", "shelf", "timeline", "transcript",
}  # fmt: skip


@pytest.mark.asyncio
@pytest.mark.timeout(240)
async def test_no_card_number_is_found_anywhere_however_its_stream_drops(tmp_path: Path) -> None:
    """S-12: 60 of the 10,000 that `python -m tests.cards` collects."""
    taken, found = await run(NUMBERS, SEED, tmp_path, ("sqlite", "redis"))
    assert (taken, dict(found)) == (NUMBERS, {}), f"seed {SEED}"


@pytest.mark.asyncio
@pytest.mark.timeout(240)
async def test_no_number_that_the_carrier_collects_is_found_anywhere(tmp_path: Path) -> None:
    """S-12: a few of those that `python -m tests.cards --sink pay` has collected."""
    taken, found = await run_at_carrier(AT_CARRIER, SEED, tmp_path, ("sqlite", "redis"))
    assert (taken, dict(found)) == (AT_CARRIER, {}), f"seed {SEED}"


@pytest.mark.asyncio
async def test_a_number_that_is_noted_down_is_found_in_every_place(tmp_path: Path) -> None:
    """The log, metrics and figures are as silent of it as ever, and an erased SQLite file has none left."""
    taken, found = await run(2, SEED, tmp_path, ("sqlite", "redis"), tells=True)
    assert taken == 2
    assert set(found) == TELLING
