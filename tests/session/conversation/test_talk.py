import asyncio

import pytest

from service.audio import SILENCE, samples
from service.call.inputs import Input, Utterance
from service.call.state import Call, Prompt, Turn
from service.session.conversation.talk import Talk
from service.session.line import Line
from tests.conftest import wait_until
from tests.session.house import House
from tests.session.parts import LOUD, MemorySocket

pytestmark = pytest.mark.asyncio

SPEAKING = Call(prompts=(Prompt("p1", 1, ("One two three four five six seven eight.",)),))


class Room:
    """A talk on a line that is plugged in."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.inputs: list[Input] = []
        self.call = SPEAKING
        self.socket = MemorySocket()
        self.line = Line("CA1", house.means)
        self.talk = Talk(
            "CA1", house.means, house.agent, self.line, self.inputs.append, lambda: self.call
        )
        self.listening = asyncio.create_task(self.talk.run())
        arrival = house.arrival(self.socket)
        self.line.plug_in(arrival, 1, lambda _played: None, lambda _reason: None)
        self.talk.attach()

    async def leave(self) -> None:
        self.listening.cancel()
        await self.talk.close()
        await self.line.unplug("over", 1000)


async def test_the_caller_takes_the_floor_at_once_and_gives_it_back(house: House) -> None:
    house.speech.ms_a_word = 400
    room = Room(house)
    room.talk.follow(room.call)
    await wait_until(lambda: len(room.socket.sent) > 3, description="we speak")
    for _ in range(4):
        room.talk.hear(LOUD * samples(20))
    await wait_until(lambda: "clear" in room.socket.events(), description="we fall silent")
    room.talk.follow(room.call)
    count = len(room.socket.sent)
    for _ in range(70):
        room.talk.hear(SILENCE * samples(20))
    await wait_until(lambda: isinstance(room.inputs[-1], Utterance), description="it was nothing")
    room.talk.follow(room.call)
    assert len(room.socket.sent) == count
    room.talk.taken()
    room.talk.follow(room.call)
    await wait_until(lambda: len(room.socket.sent) > count, description="we go on")
    room.talk.detach()
    await room.leave()


async def test_the_open_turn_is_answered(house: House) -> None:
    room = Room(house)
    room.talk.follow(Call(turn=Turn(1, "opening")))
    await wait_until(lambda: bool(room.inputs), description="the agent answers")
    await room.leave()
