"""Who is named when messages came late: never the server for what its callers could not do."""

from typing import Any

import pytest

from tests.bench import workers
from tests.bench.frames import Json
from tests.bench.growth import limit

GOOD: Json = {
    "calls": 100, "open": 100, "wall_ms": 10_000, "sent": 50_000, "late": 0, "cpu_us": 3_000_000,
    "each_us": [1_500_000, 1_500_000], "callers": {"cpu_us": 2_000_000, "lag_us": {"p999": 3_000}},
}  # fmt: skip
LATE = GOOD | {"late": 7}


def callers(**more: Any) -> Json:
    return {"callers": GOOD["callers"] | more}


@pytest.mark.parametrize(
    ("run", "named"),
    [
        (GOOD, ""),
        (GOOD | callers(lag_us={"p999": 40_000}), ""),
        (LATE, "server"),
        (GOOD | {"open": 99}, "server"),
        (LATE | callers(cpu_us=9_500_000), "callers"),
        (LATE | callers(lag_us={"p999": 40_000}), "others"),
        (GOOD | {"sent": 45_000}, "others"),
    ],
    ids=["good", "behind and good", "late", "one lost", "full callers", "callers behind", "short"],
)
def test_of_two_sides_the_one_is_named_that_could_not_keep_up(run: Json, named: str) -> None:
    assert limit(run) == named


@pytest.mark.parametrize(
    ("run", "named"),
    [
        (GOOD, ""),
        (LATE, "server"),
        (LATE | {"each_us": [9_500_000, 100_000]}, "worker"),
        (LATE | {"cpu_us": 10_000_000 * workers.CORES}, "machine"),
    ],
    ids=["good", "late", "one worker full", "no CPU left"],
)
def test_of_several_workers_the_full_one_is_named_or_the_machine(run: Json, named: str) -> None:
    assert workers.limit(run) == named
