import pytest

from service.chaos.callers.chance import chance
from service.chaos.network import lane as lanes
from service.chaos.network.lane import CALM, Lane, Weather
from service.clock import Clock
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio


def lane(weather: Weather) -> tuple[Lane, list[bytes]]:
    got: list[bytes] = []
    return Lane(got.append, weather, chance(1)), got


async def test_calm_weather_holds_nothing_up() -> None:
    calm, got = lane(CALM)
    calm.send(b"one")
    calm.then(lambda: got.append(b"end"))
    assert got == [b"one", b"end"]


async def test_what_is_slow_keeps_its_order_and_its_end() -> None:
    slow, got = lane(Weather(latency_ms=10, jitter_ms=30))
    sent = [bytes([number]) for number in range(50)]
    for piece in sent:
        slow.send(piece)
    slow.then(lambda: got.append(b"end"))
    assert got == []
    await wait_until(lambda: got == [*sent, b"end"], description="all came in order")


async def test_what_is_sliced_comes_in_pieces() -> None:
    sliced, got = lane(Weather(slice_bytes=3))
    sliced.send(b"abcdefgh")
    await wait_until(lambda: got == [b"abc", b"def", b"gh"], description="all slices came")


async def test_a_narrow_lane_takes_its_time() -> None:
    clock = Clock()
    began_ms = clock.now_ms()
    narrow, got = lane(Weather(bytes_per_s=1_000))
    narrow.send(bytes(50))
    narrow.send(bytes(50))
    await wait_until(lambda: len(got) == 2, description="both came")
    assert clock.now_ms() - began_ms >= 99


async def test_a_rest_holds_everything_and_then_lets_it_go() -> None:
    calm, got = lane(CALM)
    calm.rest(0.05)
    calm.send(b"one")
    calm.slow_down(1_000_000)
    calm.send(b"two")
    assert got == []
    await wait_until(lambda: got == [b"one", b"two"], description="both came")


async def test_no_more_waits_than_a_network_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "WAITING_MAX", 3)
    slow, got = lane(Weather(latency_ms=10_000))
    for number in range(4):
        slow.send(bytes([number]))
    assert len(got) == 4


async def test_weather_has_a_name() -> None:
    every = (CALM, Weather(latency_ms=1), Weather(slice_bytes=1), Weather(bytes_per_s=1))
    assert [one.name for one in every] == ["calm", "slow", "sliced", "narrow"]
