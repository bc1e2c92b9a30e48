import random

import pytest

from service.protocol.reorder import AHEAD_MAX, Reorder


def fed(numbers: list[int]) -> list[int]:
    order = Reorder()
    return [int(frame) for n in numbers for frame in order.feed(str(n), b"%d" % n)]


def test_frames_that_overtook_each_other_are_put_back() -> None:
    assert fed([1, 2, 4, 5, 3, 6]) == [1, 2, 3, 4, 5, 6]
    assert fed([7, 8, 10, 9]) == [7, 8, 9, 10]


def test_a_frame_that_never_comes_is_given_up_after_a_tenth_of_a_second() -> None:
    numbers = [1, *range(3, 3 + AHEAD_MAX)]
    assert fed(numbers) == [1]
    assert fed([*numbers, 3 + AHEAD_MAX]) == [1, *range(3, 4 + AHEAD_MAX)]


def test_what_is_late_or_has_no_number_goes_on_at_once() -> None:
    assert fed([5, 6, 2, 7]) == [5, 6, 2, 7]
    order = Reorder()
    assert order.feed(None, b"a") == [b"a"]
    assert order.feed("x", b"b") == [b"b"]


def test_what_waits_at_the_end_is_not_lost() -> None:
    order = Reorder()
    assert order.feed(1, b"1") == [b"1"]
    assert order.feed(4, b"4") == []
    assert order.feed(3, b"3") == []
    assert order.rest() == [b"3", b"4"]
    assert order.rest() == []


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_and_order_is_better_than_it_was(seed: int) -> None:
    chance = random.Random(seed)
    numbers = sorted(range(1, 200), key=lambda n: n + chance.uniform(0, 3))
    order = Reorder()
    heard = [int(f) for n in numbers for f in order.feed(n, b"%d" % n)]
    heard += [int(frame) for frame in order.rest()]
    first = heard.index(numbers[0])
    assert sorted(heard) == list(range(1, 200)), seed
    later = [n for n in heard[first:] if n >= numbers[0]]
    assert later == sorted(later), seed
