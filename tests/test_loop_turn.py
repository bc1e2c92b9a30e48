import pytest

from service.loop_turn import turns_in


@pytest.mark.parametrize(
    ("waited_ms", "turns"),
    [(-3, 1), (0, 1), (4, 1), (9, 1), (10, 2), (99, 19), (100, 20), (9_999, 20)],
)
def test_a_turn_counts_by_its_length_and_one_of_a_stopped_process_not_for_ever(
    waited_ms: int, turns: int
) -> None:
    assert turns_in(waited_ms) == turns
