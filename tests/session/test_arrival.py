import pytest

from service.session.arrival import AGAIN
from tests.session.house import House
from tests.session.parts import MemorySocket

pytestmark = pytest.mark.asyncio


async def test_an_arrival_is_answered_once(house: House) -> None:
    arrival = house.arrival(MemorySocket())
    assert arrival.answer(3)
    assert not arrival.answer(AGAIN)
    assert arrival.done.result() == 3
    gone = house.arrival(MemorySocket())
    gone.done.cancel()
    assert not gone.answer(3)
