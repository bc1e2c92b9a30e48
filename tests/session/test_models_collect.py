"""A number under seal that a model asks for: whoever thinks, its digits are nobody's but the sink's."""

import json
from dataclasses import replace

import pytest

from service.agent.agent import Agent
from service.agent.chat.chat import Chat
from service.agent.chat.settings import ChatSettings
from service.agent.duplex import SpeechAgent
from service.agent.functions import Functions
from service.agent.realtime.realtime import Realtime
from service.agent.realtime.settings import RealtimeSettings
from service.journal.journal import Journal
from service.switchboard.switchboard import Switchboard
from tests.card_places import hits
from tests.cards import Sink, asked, dropped, said
from tests.conftest import wait_until
from tests.session.house import Caller, House
from tests.session.parts import LOUD
from tests.standins import chat_completions as chat, realtime

pytestmark = pytest.mark.asyncio

CARD = "4111111111111111"
ASK = {"text": "Your card number, please.", "field": "card", "keys_min": 13, "keys_max": 19}
HELLO = "Hello Ada."
THANKS = "Thank you, that is paid."


def thinking(journal: Journal, agent: Agent | SpeechAgent, sink: Sink) -> House:
    """Return a house whose agent asks a model."""
    house = House(journal, sink=sink)
    house.means = replace(house.means, agent=agent)
    house.switchboard = Switchboard(house.means)
    return house


async def gives(house: House, caller: Caller, *, is_gone_amid: bool) -> Caller:
    """Say half the number, lose the stream if that is the case, and key it in."""
    await asked(caller)
    await said(house, caller, CARD[:8])
    if is_gone_amid:
        caller = await dropped(house, caller, CARD[8:12])
        caller.presses(f"{CARD}#")
    else:
        caller.presses(f"{CARD[8:]}#")
    await wait_until(lambda: "card" in caller.call.fields, description="the number is taken")
    return caller


@pytest.mark.parametrize("is_gone_amid", [False, True])
async def test_a_chat_model_asks_and_learns_that_it_was_taken(
    journal: Journal, *, is_gone_amid: bool
) -> None:
    """S-12."""
    sink, wish = Sink(), chat.Called.of("collect_number", **ASK, is_card=True)
    async with chat.serving(chat.Speech(HELLO), chat.Speech("Sure.", calls=(wish,))) as model:
        model.rule = lambda _asked: chat.Speech(THANKS)
        settings = ChatSettings(model="m", base_url=model.url, api_key=model.key)
        agent = Chat(settings, collects="numbers")
        house = thinking(journal, agent, sink)
        caller = await house.connect()
        await caller.is_told(HELLO)
        house.speech.transcripts.append("I want to pay.")
        caller.says()
        caller = await gives(house, caller, is_gone_amid=is_gone_amid)
        await caller.is_told(THANKS)
        told = json.dumps(model.asked)
        assert not model.wrongs
        await house.close()
        await agent.close()
    assert sink.taken == [CARD]
    assert "[The number for card: it was taken" in told
    assert "never read it out): tok_1" in told
    assert not hits(CARD, told)
    assert "four one" not in told


@pytest.mark.parametrize("is_gone_amid", [False, True])
async def test_a_model_that_hears_by_itself_does_not_hear_the_number(
    journal: Journal, *, is_gone_amid: bool
) -> None:
    """S-12: it has no session meanwhile, and the next one begins with nothing of that audio."""
    sink = Sink()
    async with realtime.realtime_stand_in() as model:
        settings = RealtimeSettings(base_url=model.url, api_key=realtime.KEY)
        agent = Realtime(settings, Functions(collects="numbers"))
        house = thinking(journal, agent, sink)
        model.answers.append(realtime.Answer(HELLO))
        caller = await house.connect()
        await caller.is_told(HELLO)
        model.said.append("I want to pay.")
        wish = ("collect_number", json.dumps({**ASK, "is_card": True}))
        model.answers.extend([realtime.Answer("Sure.", call=wish), realtime.Answer(THANKS)])
        caller.says(600)
        caller = await gives(house, caller, is_gone_amid=is_gone_amid)
        await caller.is_told(THANKS)
        first, *others = model.conversations
        assert not model.errors
        await house.close()
        await agent.close()
    assert sink.taken == [CARD]
    assert others
    assert all(LOUD not in one.heard for one in others)
    assert "it was taken" in others[-1].asked[0]
    told = str([one.texts() for one in model.conversations])
    assert "tok_1" in str(others[-1].settings)
    assert not hits(CARD, told + str([one.settings for one in model.conversations]))
    assert first.heard
