"""Connections that ask nothing: few places, and the oldest goes first."""

import pytest

from service.wire import crowd as module
from service.wire.address import Proxies
from service.wire.crowd import Crowd


class Noted:
    """Notes who was let go."""

    def __init__(self) -> None:
        self.gone: list[int] = []

    def of(self, number: int) -> "Leaver":
        return Leaver(self.gone, number)


class Leaver:
    def __init__(self, gone: list[int], number: int) -> None:
        self._gone, self._number = gone, number

    def __call__(self) -> None:
        self._gone.append(self._number)


def test_the_oldest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """S-3."""
    monkeypatch.setattr(module, "SILENT_MAX", 3)
    crowd, noted = Crowd(), Noted()
    entered = [crowd.enter("10.0.0.1", noted.of(number)) for number in range(3)]
    assert noted.gone == []
    crowd.leave(entered[0])
    crowd.leave(entered[0])
    crowd.enter("10.0.0.1", noted.of(3))
    assert noted.gone == []
    crowd.enter("10.0.0.1", noted.of(4))
    assert noted.gone == [1]
    assert len(crowd) == 3


def test_one_address_takes_no_more_than_its_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENT_OF_ONE_MAX", 2)
    crowd, noted = Crowd(Proxies(("9.9.9.9/32",))), Noted()
    other = crowd.enter("8.8.4.4", noted.of(0))
    for number in range(1, 5):
        crowd.enter("8.8.8.8", noted.of(number))
    assert noted.gone == [1, 2]
    for number in range(5, 9):
        crowd.enter("9.9.9.9", noted.of(number))
        crowd.enter("10.0.0.1", noted.of(number))
    assert noted.gone == [1, 2]
    crowd.leave(other)
    assert len(crowd) == 10
