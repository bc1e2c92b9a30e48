from collections import Counter

import pytest

from service.chaos.callers.chance import chance
from service.chaos.network.lane import CALM
from service.chaos.plan import CALM_PERCENT, DROPS, RATE_MAX, Plan


def test_chance_draws_every_drop_and_every_weather() -> None:
    plan, draws = Plan(), chance(1)
    drops = Counter(plan.drop(draws) for _ in range(2_000))
    assert set(drops) == set(DROPS)
    assert drops.most_common(1)[0][0] == "reset"
    calm = sum(plan.weather(draws) == CALM for _ in range(2_000)) / 20
    assert abs(calm - CALM_PERCENT) < 5


def test_the_pace_is_one_that_calls_and_machines_bear() -> None:
    assert Plan(apart_ms=5_000).pause_s(10) == 0.5
    assert Plan().pause_s(1_000) == 1 / RATE_MAX


@pytest.mark.parametrize(
    ("calls", "drops", "at_once", "waves"),
    [
        (50, 1_000, 0, [(50, 1_000)]),
        (50, 1_000, 60, [(50, 1_000)]),
        (5, 12, 2, [(2, 4), (2, 5), (1, 3)]),
        (500, 10_000, 250, [(250, 5_000), (250, 5_000)]),
    ],
)
def test_calls_come_in_waves_that_share_the_drops(
    calls: int, drops: int, at_once: int, waves: list[tuple[int, int]]
) -> None:
    assert Plan(calls=calls, drops=drops, at_once=at_once).waves() == waves


def test_only_servers_of_our_own_are_killed_and_only_our_agents_words_are_known() -> None:
    assert Plan().is_ours
    assert Plan().is_talker
    assert not Plan(agent="intake").is_talker
    assert not Plan(server="http://127.0.0.1:8000").is_ours
