import pytest

from service.commands.doctor.clocks import judged
from service.commands.doctor.finding import State


@pytest.mark.parametrize(
    ("ahead_ms", "state", "said"),
    [
        (0, State.WELL, "within 2 s"),
        (-1_999, State.WELL, "within 2 s"),
        (2_000, State.CARE, "2 s ahead of"),
        (-29_999, State.CARE, "29 s behind"),
        (30_000, State.WRONG, "30 s ahead of"),
    ],
)
def test_a_clock_is_judged_by_what_it_breaks(ahead_ms: int, state: State, said: str) -> None:
    found = judged("clock", ahead_ms, "the store")
    assert found.state is state
    assert said in found.text
    assert bool(found.advice) is (state is not State.WELL)
