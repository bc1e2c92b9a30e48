from service.meter import Meter
from service.sight.history import POINTS_MAX, STEP_MS, History, Spread, spread


def test_a_point_holds_what_happened_in_its_step_alone() -> None:
    meter = Meter()
    history = History(meter)
    meter.calls_live.set(2)
    meter.calls_opened.inc(3)
    meter.streams.labels(cause="drop").inc()
    meter.streams.labels(cause="new").inc()
    meter.incidents.labels(kind="drop_limit").inc()
    meter.continuity.context_losses.labels(kind="asked_again").inc(2)
    meter.continuity.conversations.labels(outcome="survived").inc()
    meter.returned(gap_ms=800, took_us=4_000)
    first = history.tick(STEP_MS)
    assert (first.live, first.opened, first.returns) == (2, 3, {"drop": 1})
    assert first.incidents == {"drop_limit": 1, "asked_again": 2}
    assert (first.survived, first.lost) == (1, 0)
    assert (first.resume_ms, first.gap_ms) == (Spread(1, 4.0, 4.0), Spread(1, 800.0, 800.0))
    meter.calls_opened.inc()
    meter.store.degraded.set(1)
    second = history.tick(2 * STEP_MS)
    assert (second.live, second.opened, second.returns, second.resume_ms) == (2, 1, {}, Spread())
    assert (first.is_degraded, second.is_degraded) == (False, True)


def test_points_are_asked_for_by_time_and_the_oldest_go() -> None:
    history = History(Meter(), points_max=3)
    for step in range(1, 6):
        history.tick(step * STEP_MS)
    assert [point.at_ms for point in history.since(0)] == [3 * STEP_MS, 4 * STEP_MS, 5 * STEP_MS]
    assert [point.at_ms for point in history.since(4 * STEP_MS)] == [5 * STEP_MS]
    assert POINTS_MAX * STEP_MS == 6 * 3_600_000


def test_the_spread_of_many_is_their_nearest_ranks() -> None:
    assert spread([float(n) for n in range(100, 0, -1)]) == Spread(100, 50.0, 95.0)
    assert spread([7.25]) == Spread(1, 7.2, 7.2)
    assert spread([]) == Spread()
