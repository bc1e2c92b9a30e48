import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from service.agent.chat import answering
from service.agent.chat.chat import Chat
from service.agent.chat.model import Unanswered
from service.agent.chat.settings import ChatSettings
from service.agent.prompt import FAREWELL, FILLERS, TRANSFER_LINE, go_on
from service.call.acts import Act, Ask, Confirm, Enter, Fill, HangUp, Say, Transfer, UseTool
from service.call.state import Call, Line, Turn
from service.tools.terms import Description
from tests.standins.chat_completions import HOLD, Called, Refusal, Server, Speech, serving

LOOKUP = Description(
    "lookup",
    "Looks a ticket up.",
    {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
)
HEARD = Call(
    call_sid="CA1",
    is_greeted=True,
    stage="intake",
    transcript=(Line(1, "caller", "Hello?", "Hello?", cut=False, at_ms=1),),
)
TURN = Turn(2, "speech", "Hello?")
NAMED = Called.of("remember", field="name", value="Maria")
LOOK = Called.of("lookup", id="TKT-1")


@pytest_asyncio.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setattr(answering, "RETRY_MS", 1)
    async with serving() as one:
        yield one
        assert not one.wrongs


def chat(server: Server, **changes: Any) -> Chat:
    settings = ChatSettings(
        **{"model": "m", "base_url": server.url, "api_key": server.key} | changes
    )
    return Chat(settings, (LOOKUP,))


async def reply(
    server: Server, *script: Speech | Refusal, call: Call = HEARD, turn: Turn = TURN, **changes: Any
) -> list[Act]:
    server.script.extend(script)
    brain = chat(server, **changes)
    try:
        return [act async for act in brain.reply(call, turn)]
    finally:
        await brain.close()


def answers(server: Server) -> list[str]:
    """What the last request told of the calls before it."""
    return [one["content"] for one in server.asked[-1]["messages"] if one["role"] == "tool"]


@pytest.mark.asyncio
async def test_an_answer_is_said_sentence_by_sentence(server: Server) -> None:
    acts = await reply(server, Speech("I see. **Dr. Li** knows. What is your name?"))
    assert acts == [Say("I see."), Say("Dr. Li knows."), Ask("What is your name?", "name")]
    names = [one["function"]["name"] for one in server.asked[0]["tools"]]
    assert names == ["lookup", "remember", "enter_stage", "send_digits", "transfer", "hang_up"]


@pytest.mark.asyncio
async def test_a_sentence_is_out_before_the_next_is_known(server: Server) -> None:
    server.script.append(Speech("Hello there. Ho", HOLD, "w are you?"))
    brain = chat(server)
    acts = brain.reply(HEARD, TURN)
    assert await anext(acts) == Say("Hello there.")
    await server.is_holding.wait()
    server.may_go_on.set()
    assert await anext(acts) == Ask("How are you?", "reply")
    assert [act async for act in acts] == []
    await brain.close()


@pytest.mark.asyncio
async def test_an_opening_notes_what_the_directory_knows(server: Server) -> None:
    call = Call(parameters={"client_name": "Maria", "company": "", "ticket_id": "TKT-1"})
    acts = await reply(server, Speech("Hello Maria."), call=call, turn=Turn(1, "opening"))
    assert acts == [
        Enter("intake"),
        Fill("name", "Maria", "directory"),
        Fill("ticket_id", "TKT-1", "directory"),
        Say("Hello Maria."),
    ]


@pytest.mark.asyncio
async def test_after_notes_the_model_speaks_on(server: Server) -> None:
    calls = (Called.of("remember", field="name", value="Maria", is_confirmed=True),)
    acts = await reply(
        server, Speech("Thank you.", calls=calls), Speech("Thank you. Which company is it?")
    )
    assert acts == [
        Say("Thank you."),
        Fill("name", "Maria"),
        Confirm("name"),
        Ask("Which company is it?", "company"),
    ]
    assert answers(server) == [answering.NOTED]
    [said] = [one for one in server.asked[1]["messages"] if one["role"] == "assistant"]
    assert said["content"] == "Thank you."


@pytest.mark.asyncio
async def test_after_a_question_nothing_more_is_asked_of_the_model(server: Server) -> None:
    acts = await reply(server, Speech("And your company?", calls=(NAMED,)))
    assert acts == [Ask("And your company?", "company"), Fill("name", "Maria")]
    assert len(server.asked) == 1


@pytest.mark.asyncio
async def test_answers_by_keys_are_noted_as_such(server: Server) -> None:
    acts = await reply(server, Speech("Right?", calls=(NAMED,)), turn=Turn(2, "keys", "1"))
    assert acts[-1] == Fill("name", "Maria", "keys")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("call", "act", "line"),
    [
        (LOOK, UseTool("lookup", {"id": "TKT-1"}), FILLERS[0]),
        (Called("transfer"), Transfer(), TRANSFER_LINE),
        (Called("hang_up"), HangUp(), FAREWELL),
    ],
)
async def test_nothing_ends_a_turn_without_a_word(
    server: Server, call: Called, act: Act, line: str
) -> None:
    silent = await reply(server, Speech(calls=(call, call)))
    spoken = await reply(server, Speech("I will do that.", calls=(call,)))
    assert silent == [Say(line), act]
    assert spoken == [Say("I will do that."), act]


@pytest.mark.asyncio
async def test_one_moment_is_not_said_twice_running(server: Server) -> None:
    line = Line(2, "agent", FILLERS[0], FILLERS[0], cut=False, at_ms=2)
    call = Call(transcript=(*HEARD.transcript, line))
    acts = await reply(server, Speech(calls=(LOOK,)), call=call, turn=Turn(3, "operation"))
    assert acts == [UseTool("lookup", {"id": "TKT-1"})]


@pytest.mark.asyncio
async def test_a_wrong_call_is_told_to_the_model_once(server: Server) -> None:
    wrong = (Called("lookup", "{oh no"), NAMED, Called("hang_up"), Called("Order pizza!", "[]"))
    acts = await reply(server, Speech(calls=wrong), Speech("One moment.", calls=(LOOK,)))
    assert acts == [Fill("name", "Maria"), Say("One moment."), UseTool("lookup", {"id": "TKT-1"})]
    assert answers(server) == [
        answering.NOTED,
        answering.NOT_DONE,
        "Error: The arguments are no JSON object.",
        "Error: There is no function of this name.",
    ]


@pytest.mark.asyncio
async def test_a_call_that_stays_wrong_is_dropped(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = Called.of("lookup", id=5)
    with caplog.at_level(logging.WARNING):
        acts = await reply(
            server, Speech(calls=(wrong,)), Speech("Thank you.", calls=(wrong, NAMED)), Speech("Bye.")
        )  # fmt: skip
    assert acts == [Say("Thank you."), Fill("name", "Maria"), Say("Bye.")]
    assert [one.__dict__["action"] for one in caplog.records] == ["call_refused"] * 2


@pytest.mark.asyncio
@pytest.mark.parametrize("call", [NAMED, Called("nothing")])
async def test_a_model_that_goes_round_in_circles_is_stopped(server: Server, call: Called) -> None:
    with pytest.raises(Unanswered, match="nothing but call functions"):
        await reply(server, *[Speech(calls=(call,))] * 9)
    assert len(server.asked) <= answering.ROUNDS_MAX


@pytest.mark.asyncio
async def test_a_model_that_never_stops_is_stopped(server: Server) -> None:
    acts = await reply(server, Speech(*["Word again. "] * 200))
    assert len(acts) == answering.SENTENCES_MAX


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "first",
    [
        Refusal(429, "rate_limit_exceeded", {"retry-after-ms": "5"}),
        Refusal(500),
        Speech(),
        Speech(" \n", finish="content_filter"),
        Speech("Hel", ending="cut"),
        Speech("Hel", ending="error"),
        Speech("Hel", ending="nonsense"),
        Speech("Hel", ending="silent"),
    ],
)
async def test_what_can_be_tried_again_is(server: Server, first: Speech | Refusal) -> None:
    assert await reply(server, first, Speech("Hello.")) == [Say("Hello.")]
    assert server.asked[0] == server.asked[1]


@pytest.mark.asyncio
async def test_a_model_that_can_t_answer_is_an_error_and_is_not_asked_for_ever(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    for count, refusal in (
        (1, Refusal(400)),
        (2, Refusal(500)),
        (1, Refusal(429, "rate_limit_exceeded", {"retry-after": "30"})),
        (2, Speech()),
    ):
        server.asked.clear()
        server.script.clear()
        with caplog.at_level(logging.WARNING), pytest.raises(Unanswered):
            await reply(server, refusal, refusal, Speech("Too late."))
        assert len(server.asked) == count
    with pytest.raises(Unanswered, match=r"answered 401 \(invalid_api_key\)"):
        await reply(server, api_key="sk-wrong-and-secret")
    with pytest.raises(Unanswered, match="can't be reached"):
        await reply(server, base_url="http://127.0.0.1:1/v1")
    assert "sk-" not in caplog.text


@pytest.mark.asyncio
async def test_a_stream_that_is_cut_is_gone_on_with_behind_what_was_said(server: Server) -> None:
    acts = await reply(
        server,
        Speech("One is done. Two is done. Three is h", ending="cut"),
        Speech("Two is done. Three is half done."),
    )
    assert acts == [Say("One is done."), Say("Two is done."), Say("Three is half done.")]
    [*_, said, note] = server.asked[1]["messages"]
    assert said == {"role": "assistant", "content": "One is done. Two is done."}
    assert note["content"] == go_on("Two is done.")


@pytest.mark.asyncio
async def test_a_stream_that_is_cut_again_ends_with_what_was_said(server: Server) -> None:
    cut = Speech("One is done. Two is h", ending="cut")
    assert await reply(server, cut, cut) == [Say("One is done.")]


@pytest.mark.asyncio
async def test_words_that_stop_in_the_middle_are_asked_for_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "STALL_MS", 30)
    acts = await reply(server, Speech("One is done. Two", HOLD), Speech("Two is done."))
    assert acts == [Say("One is done."), Say("Two is done.")]


@pytest.mark.asyncio
async def test_a_slow_model_is_bridged_once(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "SLOW_MS", 20)
    for call, turn, line in (
        (HEARD, TURN, FILLERS[0]),
        (Call(), Turn(1, "opening"), FILLERS[1]),
    ):
        server.script.append(Speech(HOLD, "Hel", HOLD, "lo."))
        brain = chat(server)
        acts = aiter(brain.reply(call, turn))
        found = [await anext(acts)]
        while not isinstance(found[-1], Say):
            found.append(await anext(acts))
        assert found[-1] == Say(line)
        for _ in range(2):
            await server.is_holding.wait()
            server.is_holding.clear()
            server.may_go_on.set()
        assert [act async for act in acts] == [Say("Hello.")]
        await brain.close()


@pytest.mark.asyncio
async def test_a_turn_that_said_something_needs_no_bridge(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "SLOW_MS", 0)
    turn = Turn(2, "speech", "Hello?", said=(FILLERS[0],))
    assert await reply(server, Speech("Hello."), turn=turn) == [Say("Hello.")]


@pytest.mark.asyncio
async def test_a_model_that_says_nothing_at_all_is_given_up(server: Server) -> None:
    with pytest.raises(Unanswered, match="did not go on in time"):
        await reply(server, Speech(HOLD), timeout_ms=50)
    server.is_slow_to_begin = True
    with pytest.raises(Unanswered, match=r"did not go on in time|can't be reached"):
        await reply(server, Speech("Hello."), timeout_ms=50)


@pytest.mark.asyncio
async def test_an_answer_begun_elsewhere_is_gone_on_with(server: Server) -> None:
    line = Line(2, "agent", "One is done.", "", cut=False, at_ms=2)
    call = Call(call_sid="CA1", is_greeted=True, transcript=(*HEARD.transcript, line))
    turn = Turn(2, "speech", "Hello?", said=("One is done.",))
    acts = await reply(server, Speech("One is done. Two is done."), call=call, turn=turn)
    assert acts == [Say("Two is done.")]
    assert server.asked[0]["messages"][-1]["content"].endswith(go_on("One is done."))
    assert await reply(server, Speech("-"), call=call, turn=turn) == []
    assert await reply(server, *[Refusal(500)] * 2, call=call, turn=turn) == []


@pytest.mark.asyncio
@pytest.mark.parametrize("is_said", [True, False])
async def test_giving_a_turn_up_closes_the_stream_at_once(server: Server, *, is_said: bool) -> None:
    server.script.append(Speech("Hello there. A" if is_said else "", HOLD))
    brain = chat(server)

    async def follow() -> None:
        async for _ in brain.reply(HEARD, TURN):
            pass

    task = asyncio.create_task(follow())
    await server.is_holding.wait()
    task.cancel()
    async with asyncio.timeout(1):
        await asyncio.wait((task,))
        await server.was_left.wait()
    assert task.cancelled()
    await brain.close()


@pytest.mark.asyncio
async def test_an_answer_that_nobody_follows_to_its_end_lets_go_of_the_stream(
    server: Server,
) -> None:
    server.script.append(Speech("Hello there. A", HOLD))
    brain = chat(server)
    acts = brain.reply(HEARD, TURN)
    assert await anext(acts) == Say("Hello there.")
    await server.is_holding.wait()
    async with asyncio.timeout(1):
        await acts.aclose()
        await server.was_left.wait()
    await brain.close()
