import pytest

from service.commands.doctor.clocks import STORE_CARE_MS, judged
from service.commands.doctor.finding import State


@pytest.mark.parametrize(
    ("ahead_ms", "state", "said"),
    [
        (0, State.WELL, "within 2 s"),
        (-1_999, State.WELL, "within 2 s"),
        (2_000, State.CARE, "2 s ahead of"),
        (-29_999, State.CARE, "29.9 s behind"),
        (30_000, State.WRONG, "30 s ahead of"),
    ],
)
def test_a_clock_is_judged_by_what_it_breaks(ahead_ms: int, state: State, said: str) -> None:
    found = judged("clock", ahead_ms, "the store")
    assert found.state is state
    assert said in found.text
    assert bool(found.advice) is (state is not State.WELL)


@pytest.mark.parametrize(
    ("ahead_ms", "state", "said"),
    [
        (249, State.WELL, "within 0.25 s of the store"),
        (-700, State.CARE, "0.7 s behind the store"),
        (-30_000, State.WRONG, "30 s behind the store"),
    ],
)
def test_of_the_stores_clock_less_is_forgiven(ahead_ms: int, state: State, said: str) -> None:
    found = judged("store clock", ahead_ms, "the store", STORE_CARE_MS)
    assert (found.state, found.text) == (state, said)
