import pytest

from service.web.stream import returns as module
from service.web.stream.returns import Returns

NOW_MS = 1_700_000_000_000


def test_a_call_that_asks_too_often_within_the_window_is_circling() -> None:
    returns = Returns(drops_max=2, window_ms=1_000)
    assert [returns.is_circling("CA1", NOW_MS + at) for at in range(5)] == [False] * 4 + [True]
    assert not returns.is_circling("CA2", NOW_MS + 5)


def test_a_call_that_asks_now_and_then_never_is() -> None:
    returns = Returns(drops_max=2, window_ms=1_000)
    assert not any(returns.is_circling("CA1", NOW_MS + at * 300) for at in range(100))


def test_only_so_many_calls_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CALLS_MAX", 1)
    returns = Returns(drops_max=1, window_ms=1_000)
    for _ in range(5):
        assert not returns.is_circling("CA1", NOW_MS)
        assert not returns.is_circling("CA2", NOW_MS)
