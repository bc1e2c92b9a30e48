import asyncio
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from structlog.contextvars import get_contextvars

from service import scope
from service.clock import Clock
from service.loop_turn import LATE_MS, TURN_MS
from service.session.pacer import MOUTHS_A_TURN, TICK_MS, Pacer
from tests.simulation.loop import VirtualLoop

START_MS = 1_000_000  # a tick's beginning


class Times:
    """A pacer on a loop whose time passes at once; `stood_ms` of it passed while the loop stood still."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.stood_ms = 0
        self.order: list[str] = []
        self.pacer = Pacer(
            Clock(
                lambda: START_MS * 1_000_000,
                lambda: self.loop.now_ns() + self.stood_ms * 1_000_000,
            )
        )

    def pass_by(self, ms: int) -> None:
        self.loop.run_until_complete(asyncio.sleep(ms / 1_000))

    def run(self, work: Callable[[], object], ms: int = 0) -> None:
        """Do something within the loop, then let time pass."""
        self.loop.call_soon(work)
        self.pass_by(ms)

    def wake(self, *who: "Stepped", ms: int = 0) -> None:
        """Wake them in this order, then let time pass."""

        def wake() -> None:
            for one in who:
                self.pacer.wake(one)

        self.run(wake, ms)


class Stepped:
    """Notes when it was stepped, and answers what the test has it answer."""

    def __init__(self, times: Times, name: str, *answers_ms: int | None) -> None:
        self.at: list[int] = []
        self.told: list[Exception] = []
        self.act: Callable[[], object] = lambda: None
        self._name = name
        self._order = times.order
        self._answers_ms = list(answers_ms)

    def step(self, now_ms: int) -> int | None:
        self.at.append(now_ms - START_MS)
        self._order.append(self._name)
        self.act()
        answer_ms = self._answers_ms.pop(0) if self._answers_ms else None
        return None if answer_ms is None else START_MS + answer_ms

    def fail(self, trouble: Exception) -> None:
        self.told.append(trouble)


@pytest.fixture
def times() -> Iterator[Times]:
    opened = Times()
    yield opened
    opened.loop.close()


def test_who_is_stepped_is_in_no_calls_scope_whoever_woke_the_pacer(times: Times) -> None:
    one = Stepped(times, "one", 30, None)
    scopes: list[object] = []
    one.act = lambda: scopes.append(get_contextvars())

    def wake() -> None:
        scope.of_call("CA1")
        times.pacer.wake(one)

    times.run(wake, 100)
    assert scopes == [{}, {}]


def test_who_is_woken_is_stepped_once_and_at_once_in_the_order_of_the_calls(times: Times) -> None:
    one, two = Stepped(times, "one"), Stepped(times, "two")

    times.wake(two, one, two, one)
    assert times.order == ["two", "one"]
    assert (one.at, two.at) == ([0], [0])


def test_nobody_is_stepped_before_its_time_nor_more_than_a_tick_after_it(times: Times) -> None:
    asked = [1, 19, 20, 21, 399, 400, 9_999]
    who = [Stepped(times, str(at_ms), at_ms) for at_ms in reversed(asked)]
    times.wake(*who, ms=20_000)
    came = {int(name): one.at[1:] for name, one in zip(map(str, reversed(asked)), who, strict=True)}
    assert all(len(at) == 1 and 0 <= at[0] - due_ms < TICK_MS for due_ms, at in came.items())
    assert times.order[len(who) :] == ["20", "19", "1", "21", "400", "399", "9999"]


def test_many_deadlines_are_met_by_one_wake_up(times: Times) -> None:
    who = [Stepped(times, str(number), 101 + number) for number in range(TICK_MS - 1)]
    times.wake(*who, ms=10)
    before = times.loop.callbacks
    times.pass_by(200)
    assert {at for one in who for at in one.at[1:]} == {120}
    assert times.loop.callbacks - before < 8


def test_a_deadline_that_moved_is_met_where_it_is(times: Times) -> None:
    one = Stepped(times, "one", 500, 200, 500)
    times.wake(one, ms=100)
    times.wake(one, ms=50)
    assert one.at == [0, 100]
    times.pass_by(1_000)
    assert one.at == [0, 100, 200, 500]


def test_who_learns_that_its_time_has_moved_is_stepped_then_without_having_been_woken(
    times: Times,
) -> None:
    sooner, later, never = (Stepped(times, name, 500) for name in ("sooner", "later", "never"))
    times.wake(sooner, later, never, ms=100)

    def plan() -> None:
        for one, at_ms in ((sooner, START_MS + 200), (later, START_MS + 900), (never, None)):
            times.pacer.plan(one, at_ms, START_MS + 100)

    times.run(plan, 2_000)
    assert (sooner.at, later.at, never.at) == ([0, 200], [0, 900], [0])


def test_whose_time_has_come_meanwhile_is_stepped_at_once_and_once(times: Times) -> None:
    one, woken = Stepped(times, "one", 500), Stepped(times, "woken", 500)
    times.wake(one, woken, ms=100)

    def plan() -> None:
        times.pacer.wake(woken)
        for each in (one, woken):
            times.pacer.plan(each, START_MS + 100, START_MS + 100)

    times.run(plan, 2_000)
    assert (one.at, woken.at) == ([0, 100], [0, 100])


def test_what_is_planned_within_a_call_is_done_in_no_calls_scope(times: Times) -> None:
    one = Stepped(times, "one", 500)
    scopes: list[object] = []
    times.wake(one, ms=100)
    one.act = lambda: scopes.append(get_contextvars())

    def plan() -> None:
        scope.of_call("CA1")
        times.pacer.plan(one, START_MS + 200, START_MS + 100)

    times.run(plan, 2_000)
    assert scopes == [{}]


def test_who_has_nothing_due_is_left_alone_and_the_loop_with_it(times: Times) -> None:
    one = Stepped(times, "one", 100)
    times.wake(one, ms=1_000)
    assert one.at == [0, 100]
    assert len(times.pacer) == 0
    with pytest.raises(RuntimeError, match="nothing will ever happen"):
        times.loop.run_forever()


def test_who_has_more_to_do_waits_for_the_others(times: Times) -> None:
    much = Stepped(times, "much", 0, 0, 0)
    others = [Stepped(times, str(number)) for number in range(3)]
    times.wake(much, *others, ms=10)
    assert times.order == ["much", "0", "1", "2", "much", "much", "much"]


def test_of_a_long_row_a_few_are_stepped_in_each_turn_of_the_loop(times: Times) -> None:
    """O-3: five hundred mouths at once hold nothing else up."""
    who = [Stepped(times, str(number)) for number in range(500)]
    seen: list[int] = []

    def look() -> None:
        seen.append(len(times.order))
        if len(times.order) < len(who):
            times.loop.call_soon(look)

    def call() -> None:
        for one in who:
            times.pacer.wake(one)
        look()

    times.run(call, 10)
    assert times.order == [str(number) for number in range(500)]
    assert max(later - before for before, later in pairwise(seen)) <= MOUTHS_A_TURN


@pytest.mark.parametrize(
    ("stood_ms", "turns"), [(0, 1), (4, 1), (20, 4), (60_000, LATE_MS // TURN_MS)]
)
def test_a_long_turn_of_the_loop_counts_as_several(times: Times, stood_ms: int, turns: int) -> None:
    """Or a loop that is busy with what comes in has nobody speak."""
    who = [Stepped(times, str(number)) for number in range(500)]

    def call() -> None:
        for one in who:
            times.pacer.wake(one)
        times.stood_ms += stood_ms
        times.loop.call_soon(lambda: seen.append(len(times.order)))

    seen: list[int] = []
    times.run(call, 10)
    assert seen == [turns * MOUTHS_A_TURN]
    assert len(times.order) == 500


def test_who_parted_is_never_stepped_again_even_from_within_a_turn(times: Times) -> None:
    first, second, third = (Stepped(times, name, 50) for name in ("first", "second", "third"))
    first.act = lambda: times.pacer.part(second)
    times.wake(first, second, third, ms=10)
    times.pacer.part(third)
    times.pacer.part(third)
    times.pass_by(200)
    assert times.order == ["first", "third", "first"]
    assert len(times.pacer) == 0


def test_when_the_last_one_parts_in_its_own_step_nothing_is_left_to_wake_the_loop(
    times: Times,
) -> None:
    one, other = Stepped(times, "one", 50), Stepped(times, "other", 50)

    def leave() -> None:
        times.pacer.part(one)
        times.pacer.part(other)

    one.act = leave
    times.wake(other, one, ms=10)
    times.pacer.part(one)
    assert len(times.pacer) == 0
    assert times.pacer._timer is None


def test_who_parted_and_comes_back_is_stepped_once(times: Times) -> None:
    one, other = Stepped(times, "one"), Stepped(times, "other")

    def call() -> None:
        times.pacer.wake(one)
        times.pacer.wake(other)
        times.pacer.part(one)
        times.pacer.wake(one)

    times.run(call, 10)
    assert sorted(times.order) == ["one", "other"]


def test_a_fault_ends_the_one_that_has_it_and_nobody_else(times: Times) -> None:
    bad, good = Stepped(times, "bad", 40, 60), Stepped(times, "good", 40, 80)
    trouble = ValueError("a bug")

    def fail() -> None:
        if len(bad.at) > 1:
            raise trouble

    bad.act = fail
    times.wake(bad, good, ms=500)
    assert bad.at == [0, 40]
    assert bad.told == [trouble]
    assert good.at == [0, 40, 80]
    assert good.told == []


def test_a_fault_in_telling_of_a_fault_does_not_stop_the_others(times: Times) -> None:
    bad = Stepped(times, "bad")
    bad.act = bad.fail = lambda *_: 1 / 0  # type: ignore[method-assign, assignment]
    others = [Stepped(times, str(number), 100) for number in range(2 * MOUTHS_A_TURN)]
    with pytest.raises(ZeroDivisionError):  # A loop of asyncio's logs it and goes on.
        times.wake(bad, *others)
    times.pass_by(500)
    assert all(one.at == [0, 100] for one in others)


def test_who_stood_still_reads_first_what_came_meanwhile(times: Times) -> None:
    one = Stepped(times, "one", 100)
    times.wake(one, ms=10)
    times.stood_ms = 90 + LATE_MS
    # Behind the timer, as bytes are that came while nobody read them.
    times.loop.call_later(0.090, lambda: times.loop.call_soon(times.order.append, "read"))
    times.pass_by(500)
    assert times.order == ["one", "read", "one"]


def test_it_serves_one_loop_after_the_other(times: Times) -> None:
    one = Stepped(times, "one", 100)
    times.wake(one, ms=10)
    times.pacer.part(one)
    times.loop.close()
    times.loop = VirtualLoop()
    other = Stepped(times, "other", 100)
    times.wake(other, ms=500)
    assert len(other.at) == 2
