import pytest
from hypothesis import given, strategies as st

from service.simulator.words import clock_text, duration_ms


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("3.2s", 3_200), ("800ms", 800), ("1m", 60_000), ("2", 2_000), (" 0.0205s ", 20)],
)
def test_durations_are_read(text: str, wanted: int) -> None:
    assert duration_ms(text) == wanted


@pytest.mark.parametrize("text", ["", "soon", "-1s", "1h", "1e3", "61m", "1.s", "٣s"])
def test_what_is_no_duration_is_one_clear_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        duration_ms(text)


@given(st.integers(0, 3_600_000))
def test_milliseconds_are_read_exactly(value: int) -> None:
    assert duration_ms(f"{value}ms") == value


def test_times_are_written_for_people() -> None:
    assert clock_text(63_200) == "1:03.200"
    assert clock_text(-5) == "-0:00.005"
