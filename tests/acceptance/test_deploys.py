"""A server is told to end while a call is on it, and the call goes on: on another server, or on the next one.

Real servers and real signals; requirement O-9. The limit for every exit is 28 s.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGTERM

import pytest
import pytest_asyncio

from service.clock import Clock
from service.simulator.phone import Phone
from tests.acceptance.test_drops import all_heard, back, kept_the_promise, quiet, spoken_for
from tests.acceptance.town import Json, Server, Town, audio, founded
from tests.conftest import wait_until
from tests.standins.valkey import Valkey

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(180)]

EXIT_MS_MAX = 28_000
# The carrier's own gap between two streams is 730 ms; the rest is a busy machine's.
GAP_MS_MAX = 3_000
LONG = (
    "Thank you for waiting. I have looked through all of your tickets. The first one is about the"
    " printer. The second one is about the router. The third one is about the telephone. The fourth"
    " one is about the door. The fifth one is about the window. The sixth one is about the light."
)


async def heard_to_speak(town: Town, phone: Phone) -> None:
    """Wait until the service, too, knows that the caller speaks: until then it is a pause to it."""

    async def is_heard() -> bool:
        return bool(await town.events(phone, "caller_began"))

    await wait_until(is_heard, description="the caller is heard to speak")


async def stopped(server: Server) -> int:
    """Tell a server to end as a platform does; returns how many ms it took."""
    clock = Clock()
    began_ms = clock.now_ms()
    await server.stop()
    assert server.code == 0, server.log()
    return clock.now_ms() - began_ms


async def moved(town: Town, phone: Phone) -> Json:
    """What holds after a move: a promise kept, and a stream that ended on purpose."""
    state = await kept_the_promise(town, phone)
    *_, before, now = state["streams"]
    assert (before["reason"], now["cause"]) == ("restart", "deploy"), state["streams"]
    assert len(await town.events(phone, "move_planned")) == 1
    return state


@pytest_asyncio.fixture(params=["sqlite", "redis"])
async def town(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Town]:
    async with founded(request.param, tmp_path) as place:
        yield place


async def test_a_call_in_silence_is_moved_at_once_and_in_silence(town: Town) -> None:
    other = await town.open_server()
    phone = await town.call()
    await quiet(phone)
    turns = phone.agent_turns
    town.lead_to(other)
    assert await stopped(town.servers[0]) < 10_000
    await back(phone)
    await quiet(phone, 1_500)
    assert phone.agent_turns == turns
    state = await moved(town, phone)
    assert state["streams"][-1]["gap_ms"] < GAP_MS_MAX
    phone.caller.say(audio("caller_sarah_name"))
    await town.until_state(phone, "fields.name.value", "Sarah Johnson")


async def test_a_sentence_of_ours_is_said_to_its_end_before_the_call_is_moved(
    tmp_path: Path,
) -> None:
    async with Town(tmp_path) as town:
        other = await town.open_server()
        phone = await town.call()
        await quiet(phone)
        turns = phone.agent_turns
        phone.caller.say(audio("caller_sarah_name"))
        await spoken_for(phone, turns + 1, 300)
        town.lead_to(other)
        assert await stopped(town.servers[0]) < EXIT_MS_MAX
        await back(phone)
        await all_heard(town, phone)
        state = await moved(town, phone)
        assert state["fields"]["name"]["value"] == "Sarah Johnson"
        assert len(await town.events(phone, "agent_spoke")) == 3


async def test_a_long_sentence_is_cut_by_the_move_and_goes_on_with_its_clause(
    tmp_path: Path,
) -> None:
    async with Town(tmp_path) as town:
        other = await town.open_server()
        phone = await town.call()
        await quiet(phone)
        turns = phone.agent_turns
        assert await town.ask(phone, "say", {"text": LONG}) == 202
        await spoken_for(phone, turns + 1, 300)
        town.lead_to(other)
        assert await stopped(town.servers[0]) < EXIT_MS_MAX
        await back(phone)
        await town.until(phone, lambda it: it["transcript"][-1]["heard"] == LONG, "it is heard")
        await moved(town, phone)
        kinds = [one["kind"] for one in await town.events(phone)]
        gone = len(kinds) - kinds[::-1].index("stream_detached")
        assert "played" in kinds[gone:], "a part of it is said on the next stream"


async def test_half_an_utterance_of_a_caller_who_never_pauses_is_kept(tmp_path: Path) -> None:
    async with Town(tmp_path) as town:
        other = await town.open_server()
        phone = await town.call()
        await quiet(phone)
        for _ in range(4):
            phone.caller.say(audio("caller_sarah_long"))
        await heard_to_speak(town, phone)
        town.lead_to(other)
        stopping = asyncio.create_task(stopped(town.servers[0]))
        await phone.until(lambda it: not it.is_live, "the stream is cut", timeout_ms=EXIT_MS_MAX)
        phone.caller.hush()
        assert await stopping < EXIT_MS_MAX
        await back(phone)
        await all_heard(town, phone)
        await moved(town, phone)
        assert any(one["partial"] for one in await town.events(phone, "caller_spoke"))


async def test_a_server_that_is_alone_has_its_call_wait_until_it_is_back(tmp_path: Path) -> None:
    async with Town(tmp_path, RESTART_PAUSE_S="15") as town:
        phone = await town.call()
        await quiet(phone)
        (server,) = town.servers
        assert await stopped(server) < EXIT_MS_MAX
        await server.start()
        await phone.until(lambda it: it.streams == 2, "it comes back", timeout_ms=30_000)
        await all_heard(town, phone)
        await moved(town, phone)
        phone.caller.say(audio("caller_sarah_name"))
        await town.until_state(phone, "fields.name.value", "Sarah Johnson")


async def test_a_second_signal_is_now_and_the_call_comes_back_all_the_same(tmp_path: Path) -> None:
    async with Town(tmp_path) as town:
        other = await town.open_server()
        phone = await town.call()
        await quiet(phone)
        phone.caller.say(audio("caller_sarah_long"))  # nobody moves a call in the middle of a word
        await heard_to_speak(town, phone)
        town.lead_to(other)
        first = town.servers[0]
        first.send(SIGTERM)
        await asyncio.sleep(1)
        stopping = asyncio.create_task(stopped(first))
        await phone.until(lambda it: not it.is_live, "the stream is cut")
        phone.caller.hush()
        assert await stopping < EXIT_MS_MAX
        await back(phone)
        await all_heard(town, phone)
        state = await kept_the_promise(town, phone)
        assert state["streams"][-1]["cause"] == "deploy"


async def test_the_end_comes_in_time_though_nobody_pauses_no_carrier_answers_and_a_tool_hangs(
    tmp_path: Path,
) -> None:
    hanging = await asyncio.start_server(_hang, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{hanging.sockets[0].getsockname()[1]}"
    desk = {"TOOLS": "service/tools/desk.json", "DESK_URL": url}
    async with Town(tmp_path, TWILIO_API_URL=url, **desk) as town:
        other = await town.open_server()
        phone = await town.call()
        await quiet(phone)
        for _ in range(8):
            phone.caller.say(audio("caller_sarah_long"))
        await heard_to_speak(town, phone)
        town.lead_to(other)
        stopping = asyncio.create_task(stopped(town.servers[0]))
        await phone.until(lambda it: not it.is_live, "the stream is cut", timeout_ms=EXIT_MS_MAX)
        phone.caller.hush()
        assert await stopping < EXIT_MS_MAX
        await back(phone)
        await all_heard(town, phone)
        await moved(town, phone)
    hanging.close()


async def _hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


@pytest.mark.parametrize("store", ["sqlite", "redis"])
async def test_two_workers_share_a_port_and_a_store_and_end_together(
    tmp_path: Path, store: str
) -> None:
    with Valkey(tmp_path / "valkey") as valkey:
        store_url = valkey.url if store == "redis" else ""
        async with Town(tmp_path, store_url=store_url, WEB_CONCURRENCY="2") as town:
            phones = [await town.call(f"+1555000{number}") for number in range(3)]
            for phone in phones:
                await quiet(phone)
                await phone.caller.drop("reset")  # and perhaps the other worker takes it
                await back(phone)
            other = await town.open_server()
            town.lead_to(other)
            assert await stopped(town.servers[0]) < EXIT_MS_MAX
            for phone in phones:
                await back(phone, 3)
                await all_heard(town, phone)
                await moved(town, phone)
