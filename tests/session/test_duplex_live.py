"""The whole way: a model behind a real socket, a session with its journal and mouth, a caller's stream."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from service.agent.functions import Functions
from service.agent.realtime.realtime import Realtime
from service.agent.realtime.settings import RealtimeSettings
from service.session.speaking.said import REPEAT
from service.switchboard.switchboard import Switchboard
from tests.conftest import wait_until
from tests.session.house import Caller, House
from tests.session.parts import MemorySocket
from tests.standins.realtime import KEY, Answer, RealtimeStandIn, realtime_stand_in, speech

pytestmark = pytest.mark.asyncio

HELLO = "Hello Ada."
LONG = "one two three four five"


@pytest_asyncio.fixture
async def model() -> AsyncIterator[RealtimeStandIn]:
    async with realtime_stand_in() as model:
        yield model


@pytest_asyncio.fixture
async def agent(model: RealtimeStandIn) -> AsyncIterator[Realtime]:
    agent = Realtime(RealtimeSettings(base_url=model.url, api_key=KEY), Functions())
    yield agent
    await agent.close()


def given(house: House, agent: Realtime) -> House:
    """Give a house the agent that speaks itself."""
    house.means = replace(house.means, agent=agent)
    house.switchboard = Switchboard(house.means)
    return house


def sounds(socket: MemorySocket) -> bytes:
    """Return all audio that was sent."""
    return b"".join(
        base64.b64decode(message["media"]["payload"])
        for message in socket.sent
        if message["event"] == "media"
    )


async def greeted(house: House, model: RealtimeStandIn) -> Caller:
    model.answers.append(Answer(HELLO))
    caller = await house.connect()
    await caller.is_told(HELLO)
    return caller


async def test_what_the_model_says_is_sent_as_it_is_and_heard_to_its_end(
    house: House, agent: Realtime, model: RealtimeStandIn
) -> None:
    caller = await greeted(given(house, agent), model)
    assert sounds(caller.socket) == speech(HELLO)
    assert await house.stored() == caller.call
    model.said.append("Is it open?")
    model.answers.append(Answer("It is open."))
    caller.says(600)
    await caller.is_told("It is open.")
    assert [line.text for line in caller.call.transcript] == [HELLO, "Is it open?", "It is open."]
    assert sounds(caller.socket) == speech(HELLO) + speech("It is open.")
    assert not model.errors


async def test_the_callers_first_sound_clears_and_their_words_cut_what_they_did_not_hear(
    house: House, agent: Realtime, model: RealtimeStandIn
) -> None:
    caller = await greeted(given(house, agent), model)
    model.said.append("Tell me all.")
    model.answers.append(Answer(LONG))
    caller.socket.is_listening = False
    caller.says(600)
    await wait_until(
        lambda: len(sounds(caller.socket)) > len(speech(HELLO)), description="it speaks"
    )
    caller.speaks(100)
    await wait_until(lambda: "clear" in caller.socket.events(), description="it falls silent")
    model.said.append("Stop.")
    model.answers.append(Answer("All right."))
    caller.socket.is_listening = True
    caller.says(600)
    await caller.is_told("All right.")
    cut = caller.call.transcript[2]
    assert cut.cut
    assert LONG.startswith(cut.heard)
    assert not model.errors


async def test_on_the_next_stream_it_goes_on_from_where_it_was_heard(
    house: House, agent: Realtime, model: RealtimeStandIn
) -> None:
    caller = await greeted(given(house, agent), model)
    caller.socket.is_listening = False
    model.said.append("Tell me all.")
    model.answers.append(Answer(LONG))
    caller.says(600)
    await wait_until(lambda: len(caller.socket.marks()) > 3, description="it speaks")
    caller.session.echoed(caller.epoch, caller.socket.marks()[-2])
    await caller.has_dropped()
    heard = caller.call.prompts[0].heard_samples
    assert 0 < heard < len(speech(LONG))
    back = await house.returns()
    await back.is_told(LONG)
    assert sounds(back.socket) == speech(LONG)[max(0, heard - REPEAT) :]
    assert len(model.conversations) == 1


async def test_another_process_has_the_model_go_on_from_the_words_that_were_heard(
    house: House, elsewhere: House, agent: Realtime, model: RealtimeStandIn
) -> None:
    caller = await greeted(given(house, agent), model)
    model.said.append("Tell me all.")
    model.answers.extend([Answer(LONG), Answer("and so on")])
    caller.says(600)
    await wait_until(
        lambda: bool(caller.call.prompts) and caller.call.prompts[0].heard_samples > 6_000,
        description="it is written down how much was heard",
    )
    back = await given(elsewhere, agent).returns()
    await back.is_told("and so on")
    heard = back.call.transcript[2].heard
    assert heard
    assert f'"{heard}"' in model.last.asked[0]
    assert ("assistant", heard) in model.last.texts()
    assert [line.text for line in back.call.transcript].count(HELLO) == 1
    assert sounds(back.socket) == speech("and so on")
