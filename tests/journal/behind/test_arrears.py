"""O-10: what is said of the store, and that it is not said in turns."""

import itertools

import pytest

from service.journal.behind.arrears import CHANGE_MS, LATE_MS, Arrears, Standing, Status

NONE = Arrears(0, 0, 0, 0, is_full=False)
SOME = Arrears(1, 2, 300, 0, is_full=False)
OLD = Arrears(1, 2, 300, LATE_MS, is_full=False)
FULL = Arrears(1, 2, 300, LATE_MS, is_full=True)


def status(arrears: Arrears, *, is_answering: bool, is_whole: bool) -> Status:
    standing = Standing()
    standing.judge(arrears, is_answering=is_answering, is_whole=is_whole, now_ms=1)
    return standing.status


@pytest.mark.parametrize(
    ("arrears", "is_answering", "is_whole"),
    list(itertools.product((NONE, SOME, OLD, FULL), (True, False), (True, False))),
)
def test_the_table(arrears: Arrears, *, is_answering: bool, is_whole: bool) -> None:
    expected = Status.DEGRADED
    if arrears is FULL:
        expected = Status.DOWN
    elif is_answering and (arrears is NONE or (arrears is SOME and is_whole)):
        expected = Status.OK
    assert status(arrears, is_answering=is_answering, is_whole=is_whole) is expected


def test_a_change_is_told_at_most_every_five_seconds() -> None:
    standing = Standing()
    told = []
    for now_ms in range(1_000, 31_000, 100):
        is_answering = now_ms // 300 % 2 == 0
        if standing.judge(NONE, is_answering=is_answering, is_whole=True, now_ms=now_ms):
            told.append(now_ms)
    assert 2 < len(told) <= 7
    assert all(later - earlier >= CHANGE_MS for earlier, later in itertools.pairwise(told))
