"""R-16, R-18: who watches misses nothing and has nothing twice, and costs the calls nothing."""

import pytest

from tests.watchers.judging import Judged, judge
from tests.watchers.run import Options, run

TOLD = [(1, "a"), (2, "b"), (3, "c")]
# What is punctual is measured on a calm machine; here others work, too.
SMALL = Options(
    watchers=6, reconnects=20, records=1_000, calls=2, seconds=3, calm_s=0, stuck=1, slack=0
)


@pytest.mark.timeout(90)
@pytest.mark.asyncio
async def test_watchers_that_come_and_go_are_told_exactly_what_the_journal_holds() -> None:
    """R-16, R-18: a small run of `python -m tests.watchers`."""
    report = await run(SMALL)
    assert not report.broken, report.text()


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (TOLD, Judged()),
        (TOLD[:2], Judged(gaps=1)),
        ([TOLD[0], TOLD[2]], Judged(gaps=1)),
        ([*TOLD, TOLD[1]], Judged(duplicates=1)),
        ([TOLD[0], TOLD[2], TOLD[1]], Judged(misorder=1)),
        ([(1, "a"), (2, "x"), (3, "c")], Judged(wrong=1)),
        ([*TOLD, (4, "d")], Judged(wrong=1)),
    ],
)
def test_the_judge_finds_what_is_wrong(seen: list[tuple[int, str]], found: Judged) -> None:
    assert judge(seen, ["a", "b", "c"], 3) == found
