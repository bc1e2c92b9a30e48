import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from service.agent import duplex as d
from service.agent.duplex import Entry, ToolUse
from service.agent.functions import Functions
from service.agent.realtime.realtime import Realtime
from service.agent.realtime.session import RealtimeSession
from service.agent.realtime.settings import RealtimeSettings
from service.audio import samples, silence
from service.call.state import Call
from service.errors import BrainError
from tests.conftest import wait_until
from tests.standins.realtime import KEY, Answer, RealtimeStandIn, realtime_stand_in, speech

VOICE = b"\x10\x90" * 80  # 20 ms of a loud tone
QUIET = silence(160)


class Talk:
    """A session, and all that it told so far."""

    def __init__(self, session: RealtimeSession) -> None:
        self.session = session
        self.told: list[d.SpeechEvent] = []
        self._events = session.events()

    async def until(self, holds: Callable[[d.SpeechEvent], bool]) -> d.SpeechEvent:
        async with asyncio.timeout(5):
            async for event in self._events:
                self.told.append(event)
                if holds(event):
                    return event
        raise AssertionError(f"the session ended without it: {self.told}")

    async def finished(self) -> d.SpeechEvent:
        return await self.until(lambda event: isinstance(event, d.Finished))

    def audio(self) -> bytes:
        return b"".join(event.ulaw for event in self.told if isinstance(event, d.AudioOut))

    def words(self) -> list[d.WordsOut]:
        return [event for event in self.told if isinstance(event, d.WordsOut)]

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.told]

    async def speak(self, speech_ms: int = 600) -> None:
        for frame in [QUIET] * 5 + [VOICE] * (speech_ms // 20) + [QUIET] * 30:
            await self.session.send_audio(frame)


@pytest_asyncio.fixture
async def house() -> AsyncIterator[RealtimeStandIn]:
    async with realtime_stand_in() as house:
        yield house


@pytest_asyncio.fixture
async def agent(house: RealtimeStandIn) -> AsyncIterator[Realtime]:
    agent = Realtime(RealtimeSettings(base_url=house.url, api_key=KEY), Functions())
    yield agent
    await agent.close()


@pytest_asyncio.fixture
async def talk(agent: Realtime) -> AsyncIterator[Talk]:
    session = await agent.open(Call(), None, ())
    yield Talk(session)
    await session.close()


@pytest.mark.asyncio
async def test_an_answer_comes_as_audio_with_its_words_beside_it(
    house: RealtimeStandIn, talk: Talk
) -> None:
    house.answers.append(Answer("Hello, this is the support line."))
    await talk.session.respond("Greet the caller.")
    assert await talk.finished() == d.Finished()
    assert talk.audio() == speech("Hello, this is the support line.")
    assert talk.words()[-1].text == "Hello, this is the support line."
    assert [words.is_last for words in talk.words()].count(True) == 1
    assert house.last.asked[0].endswith("Greet the caller.")
    assert not house.errors


@pytest.mark.asyncio
async def test_the_caller_is_noticed_written_down_and_answered(
    house: RealtimeStandIn, talk: Talk
) -> None:
    house.said.append("My printer is broken.")
    house.answers.append(Answer("Which one?"))
    await talk.speak()
    await talk.finished()
    kinds = talk.kinds()
    assert kinds[:4] == ["CallerBegan", "CallerEnded", "CallerSaid", "Took"]
    assert d.CallerSaid("My printer is broken.") in talk.told
    assert talk.audio() == speech("Which one?")
    assert talk.told[3] == d.Took(samples(5 * 20 + 600 + 500))
    assert bytes(house.last.heard[800:960]) == VOICE


@pytest.mark.asyncio
async def test_words_that_come_later_than_the_answer_change_nothing_about_what_was_taken_in(
    house: RealtimeStandIn, talk: Talk
) -> None:
    house.writes_late = True
    await talk.speak()
    await talk.finished()
    assert talk.kinds().count("Took") == 1
    house.said.append("Good morning.")
    await house.last.write_down()
    assert await talk.until(lambda event: isinstance(event, d.CallerSaid)) == d.CallerSaid(
        "Good morning."
    )
    await house.last.write_down()
    await talk.until(lambda event: event == d.CallerSaid(""))
    assert talk.kinds().count("Took") == 1


@pytest.mark.asyncio
async def test_the_caller_stops_the_model_and_what_was_heard_is_all_that_it_remembers(
    house: RealtimeStandIn, talk: Talk
) -> None:
    house.answers.append(Answer("one two three four five six seven eight", hold_ms=1_000))
    await talk.session.respond()
    first = await talk.until(lambda event: isinstance(event, d.AudioOut))
    assert isinstance(first, d.AudioOut)
    await talk.speak()
    await talk.until(lambda event: isinstance(event, d.CallerBegan))
    await talk.finished()
    await talk.session.truncate(first.item, 640)
    await talk.session.truncate(first.item, 320)  # once is enough
    await talk.finished()
    assert house.last.items[first.item].heard_ms == 640
    assert house.last.items[first.item].text == ""
    assert not house.errors


@pytest.mark.asyncio
async def test_a_cut_stops_an_answer_that_is_still_growing(
    house: RealtimeStandIn, talk: Talk
) -> None:
    house.answers.append(Answer("one two three four five six", hold_ms=400))
    await talk.session.respond()
    first = await talk.until(lambda event: isinstance(event, d.AudioOut))
    assert isinstance(first, d.AudioOut)
    await talk.session.truncate(first.item, 9_999)
    await talk.finished()
    assert house.last.items[first.item].heard_ms in (200, 400)  # never more than what came of it
    assert not any(words.is_last for words in talk.words())
    assert not house.errors


@pytest.mark.asyncio
async def test_an_item_of_another_session_is_never_cut(house: RealtimeStandIn, talk: Talk) -> None:
    await talk.session.truncate("item_of_old", 100)
    await talk.session.heard("item_of_old", 100)
    await talk.session.respond()
    await talk.finished()
    assert not house.errors


@pytest.mark.asyncio
async def test_a_function_is_called_and_its_result_answered(
    house: RealtimeStandIn, talk: Talk
) -> None:
    house.answers.extend(
        [Answer("Let me look.", call=("ticket_lookup", '{"id": "TK1"}')), Answer("It is open.")]
    )
    await talk.session.respond()
    await talk.finished()
    called = next(event for event in talk.told if isinstance(event, d.ToolCalled))
    assert (called.name, called.arguments) == ("ticket_lookup", '{"id": "TK1"}')
    await talk.session.tool_result(called.call_id, '{"status": "open"}')
    await talk.session.respond()
    await talk.finished()
    assert house.last.texts()[2] == ("function_call_output", '{"status": "open"}')
    assert not house.errors


@pytest.mark.asyncio
async def test_two_answers_are_never_asked_for_at_a_time(
    house: RealtimeStandIn, talk: Talk
) -> None:
    house.answers.extend([Answer("First.", hold_ms=200), Answer("Second.")])
    await talk.session.respond("one")
    await talk.until(lambda event: isinstance(event, d.AudioOut))
    await talk.session.respond("two")
    assert len(house.last.asked) == 1
    house.go_on.set()
    await talk.finished()
    await talk.finished()
    assert [asked.rsplit("\n", 1)[-1] for asked in house.last.asked] == ["one", "two"]
    assert not house.errors


@pytest.mark.asyncio
async def test_a_wish_that_collides_with_the_servers_own_answer_is_granted_after_it(
    house: RealtimeStandIn, talk: Talk
) -> None:
    house.answers.extend([Answer("By itself.", hold_ms=0), Answer("As you wished.")])
    await (
        talk.speak()
    )  # nothing was received yet: the session can't know of the server's own answer
    await wait_until(lambda: house.last.is_answering, description="the server answers by itself")
    await talk.session.respond("wish")
    house.go_on.set()
    await talk.finished()
    await talk.finished()
    assert talk.audio() == speech("By itself.") + speech("As you wished.")
    assert [error["code"] for error in house.errors] == ["conversation_already_has_active_response"]


@pytest.mark.asyncio
async def test_an_answer_that_fails_says_why(house: RealtimeStandIn, talk: Talk) -> None:
    house.answers.append(Answer(fails="rate_limit_exceeded"))
    await talk.session.respond()
    assert await talk.finished() == d.Finished("rate_limit_exceeded")


@pytest.mark.asyncio
async def test_a_lost_socket_is_the_last_that_is_heard_of_a_session(
    house: RealtimeStandIn, talk: Talk
) -> None:
    house.drop()
    failed = await talk.until(lambda event: isinstance(event, d.Failed))
    assert failed == d.Failed("the model's socket: ConnectionClosedError")
    with pytest.raises(BrainError, match="socket"):
        await talk.session.send_audio(VOICE)
    with pytest.raises(BrainError, match="socket"):
        await talk.session.respond()


@pytest.mark.asyncio
async def test_a_closed_session_says_no_more(talk: Talk) -> None:
    await talk.session.close()
    assert [event async for event in talk.session.events()] == []


@pytest.mark.asyncio
async def test_a_session_says_in_time_that_it_will_end(house: RealtimeStandIn) -> None:
    settings = RealtimeSettings(base_url=house.url, api_key=KEY)
    agent = Realtime(settings, Functions(), renew_ms=0)
    session = await agent.open(Call(), None, ())
    talk = Talk(session)
    assert await talk.until(lambda _: True) == d.GoAway(300_000)
    await session.respond()
    await talk.finished()  # it goes on all the same, and says so only once
    assert talk.kinds().count("GoAway") == 1
    await session.close()
    await agent.close()


@pytest.mark.asyncio
async def test_what_is_told_beside_the_talk_is_remembered(
    house: RealtimeStandIn, talk: Talk
) -> None:
    await talk.session.note(Entry("agent", "A colleague is on the way.", "A colleague is"))
    await talk.session.note(Entry("note", "[keyed 12]", "[keyed 12]"))
    await talk.session.note(ToolUse("t1.1", "ticket_note", {"text": "x"}, '{"ok": true}'))
    await talk.session.respond()
    await talk.finished()
    assert house.last.texts()[:4] == [
        ("assistant", "A colleague is"),
        ("system", "[keyed 12]"),
        ("function_call", '{"text":"x"}'),
        ("function_call_output", '{"ok": true}'),
    ]
    assert not house.errors
