import http
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service.agent.duplex import Entry, ResumeRefused, ToolUse
from service.agent.functions import BUILT_IN, Functions
from service.agent.realtime import realtime
from service.agent.realtime.realtime import Realtime
from service.agent.realtime.settings import RealtimeSettings
from service.call.state import Call
from service.errors import BrainError, BrainRefused, ConfigError
from service.tools.toolbox import Toolbox
from tests.standins.realtime import KEY, RealtimeStandIn, realtime_stand_in


@pytest_asyncio.fixture
async def house() -> AsyncIterator[RealtimeStandIn]:
    async with realtime_stand_in() as house:
        yield house


@pytest_asyncio.fixture
async def agent(house: RealtimeStandIn) -> AsyncIterator[Realtime]:
    settings = RealtimeSettings(base_url=house.url, api_key=KEY, prompt="You sell tea.")
    agent = Realtime(settings, Functions())
    yield agent
    await agent.close()


@pytest.mark.asyncio
async def test_a_session_speaks_mu_law_listens_for_the_caller_and_has_functions(
    house: RealtimeStandIn, agent: Realtime
) -> None:
    session = await agent.open(Call(stage="intake"), None, ())
    settings = house.last.settings
    assert settings is not None
    assert settings.audio.input.format.type == settings.audio.output.format.type == "audio/pcmu"
    assert settings.audio.input.turn_detection.interrupt_response
    assert settings.instructions.startswith("You sell tea.")
    assert "stage of the conversation: intake" in settings.instructions
    assert [tool.name for tool in settings.tools] == [one.name for one in BUILT_IN]
    await session.close()
    assert not house.errors


@pytest.mark.asyncio
async def test_a_session_is_told_the_past(house: RealtimeStandIn, agent: Realtime) -> None:
    past = (
        Entry("caller", "Hello.", "Hello."),
        Entry("agent", "Good morning, Ada.", "Good morning,"),
        ToolUse("c1", "lookup", {"ticket_id": "TK1"}, '{"status": "open"}'),
    )
    session = await agent.open(Call(), None, past)
    await session.respond()
    async for _ in session.events():
        break
    assert house.last.texts()[:4] == [
        ("user", "Hello."),
        ("assistant", "Good morning,"),
        ("function_call", '{"ticket_id":"TK1"}'),
        ("function_call_output", '{"status": "open"}'),
    ]
    await session.close()
    assert not house.errors


@pytest.mark.asyncio
async def test_a_handle_of_another_model_is_refused(agent: Realtime) -> None:
    with pytest.raises(ResumeRefused):
        await agent.open(Call(), b"gemini", ())


@pytest.mark.asyncio
async def test_whatever_is_wrong_is_one_clear_error_without_the_key(
    house: RealtimeStandIn, agent: Realtime
) -> None:
    house.refusals.append(http.HTTPStatus.SERVICE_UNAVAILABLE)
    with pytest.raises(BrainError, match=r"HTTP 503$"):
        await agent.open(Call(), None, ())
    house.refuses_settings = True
    with pytest.raises(BrainError, match=r"refused our settings: invalid_value$"):
        await agent.open(Call(), None, ())
    stranger = Realtime(RealtimeSettings(base_url=house.url, api_key="sk-wrong"), Functions())
    with pytest.raises(BrainRefused, match=r"HTTP 401$"):
        await stranger.open(Call(), None, ())
    await stranger.close()
    nowhere = Realtime(RealtimeSettings(base_url="http://127.0.0.1:9/v1"), Functions())
    with pytest.raises(BrainError, match="no session with the model"):
        await nowhere.open(Call(), None, ())
    await nowhere.close()


@pytest.mark.asyncio
async def test_a_server_that_takes_the_call_and_says_nothing_is_left_in_time(
    house: RealtimeStandIn, agent: Realtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime, "OPEN_MS_MAX", 100)
    house.is_mute = True
    with pytest.raises(BrainError, match="TimeoutError"):
        await agent.open(Call(), None, ())


@pytest.mark.asyncio
async def test_the_environment_says_which_model() -> None:
    agent = Realtime.from_environment(Toolbox.none(), {"OPENAI_API_KEY": "sk-secret"})
    assert "secret" not in repr(agent)
    assert agent.functions.offered(Call())
    await agent.close()
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        Realtime.from_environment(Toolbox.none(), {})
