import random
from pathlib import Path

import pytest

from service.session.vault import is_card
from tests.cards import card, hits, run

NUMBERS = 200
SEED = 1


@pytest.mark.asyncio
@pytest.mark.timeout(120)
async def test_no_card_number_is_found_anywhere_however_its_stream_drops(tmp_path: Path) -> None:
    """S-12: 200 of the 10,000 that `python -m tests.cards` collects."""
    assert await run(NUMBERS, SEED, tmp_path) == (NUMBERS, 0), f"seed {SEED}"


def test_the_search_finds_what_is_there() -> None:
    number = card(random.Random(3))
    assert is_card(number)
    assert hits(number, f"x{number[:8]}")
    assert hits(number, f"{number[-8:]}x")
    assert not hits(number, number[:7])
