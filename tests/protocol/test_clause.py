import pytest

from service.audio import samples
from service.protocol.clause import BACK_MAX, Clause, quiet_place

LOUD, QUIET = b"\x01", b"\xff"


def test_its_parts_are_told_by_positions_of_the_stream() -> None:
    clause = Clause("p1", 0, LOUD * 800, 1_000, 0)
    assert clause.end == 1_800
    assert [clause.part(at) for at in (0, 1_000, 1_300, 1_800, 9_000)] == [0, 0, 300, 800, 800]
    assert clause.reach(1_300) == 300


def test_what_is_said_again_is_known_already() -> None:
    audio = LOUD * 1_640 + QUIET * 80 + LOUD * 6_280
    again = Clause("p1", 0, audio, 1_000, 0).again(10_000, 4_000, 4_000, 4_400)
    assert again.begin == 10_000 - 1_640
    assert again.end == 10_000 + 8_000 - 1_640
    assert [again.part(at) for at in (10_000, 11_000, 12_000)] == [3_000, 3_000, 3_640]
    assert [again.reach(at) for at in (10_000, 11_000, 12_000)] == [3_400, 3_400, 3_640]
    assert audio[10_000 - again.begin :].startswith(QUIET)


def test_a_clause_that_nothing_was_heard_of_is_said_from_its_beginning() -> None:
    again = Clause("p1", 1, LOUD * 800, 1_000, 0).again(5_000, 1_000, 1_000, 1_000)
    assert (again.begin, again.known) == (5_000, 0)


@pytest.mark.parametrize(
    ("quiet", "heard", "place"),
    [
        (4_000, 5_000, 4_120),
        (1_000, 5_000, 5_000),
        (4_960, 5_000, 5_000),
        (0, 100, 100),
    ],
)
def test_the_quietest_place_nearby_is_chosen(quiet: int, heard: int, place: int) -> None:
    audio = LOUD * quiet + QUIET * 200 + LOUD * 5_000
    found = quiet_place(audio, heard)
    assert found == place
    assert heard - found <= BACK_MAX


def test_where_all_is_alike_nothing_is_repeated() -> None:
    assert quiet_place(LOUD * 8_000, 4_001) == 4_001
    assert quiet_place(LOUD * 8_000, samples(5)) == samples(5)
