import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service.agent.chat.completion import CALLS_MAX, OpenAiModel
from service.agent.chat.history import user
from service.agent.chat.model import Finished, Piece, Unanswered, Wish, Words
from service.agent.chat.settings import ChatSettings
from tests.conftest import wait_until
from tests.standins.chat_completions import HOLD, Called, Ending, Refusal, Server, Speech, serving

NOTHING: list[dict[str, object]] = []
LATER = "Wed, 21 Oct 2026 07:28:00 GMT"
REFUSALS: tuple[tuple[int, str, dict[str, str], bool, int], ...] = (
    (400, "context_length_exceeded", {}, False, 0),
    (403, "x" * 99, {}, False, 0),
    (404, "model_not_found", {}, False, 0),
    (408, "timeout", {}, True, 0),
    (429, "rate_limit_exceeded", {"retry-after": "1"}, True, 1_000),
    (429, "rate_limit_exceeded", {"retry-after-ms": "120"}, True, 120),
    (429, "rate_limit_exceeded", {"retry-after": "60"}, True, 3_000),
    (429, "rate_limit_exceeded", {"retry-after": LATER}, True, 3_000),
    (429, "rate_limit_exceeded", {"retry-after": "nan"}, True, 3_000),
    (429, "insufficient_quota", {}, False, 0),
    (500, "server_error", {}, True, 0),
    (503, "overloaded", {"x-should-retry": "false"}, False, 0),
)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as one:
        yield one


def model(server: Server, **changes: str) -> OpenAiModel:
    settings = {"model": "m", "base_url": server.url, "api_key": server.key, **changes}
    return OpenAiModel(ChatSettings(**settings))  # type: ignore[arg-type] # all of them are texts


def soon(within_s: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + within_s


async def pieces(server: Server, **changes: str) -> list[Piece]:
    """All pieces of one answer, without the empty words."""
    client = model(server, **changes)
    reading = client.ask([user("Hi")], NOTHING)
    found: list[Piece] = []
    try:
        while not found or not isinstance(found[-1], Finished):
            piece = await reading.next(soon())
            assert piece is not None
            if piece != Words(""):
                found.append(piece)
    finally:
        await reading.close()
        await client.close()
    return found


async def trouble(server: Server, **changes: str) -> Unanswered:
    with pytest.raises(Unanswered) as raised:
        await pieces(server, **changes)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    return raised.value


@pytest.mark.asyncio
async def test_words_come_as_they_are_sent(server: Server) -> None:
    server.script.append(Speech("Hel", "lo", " there."))
    said = [Words("Hel"), Words("lo"), Words(" there."), Finished("stop")]
    assert await pieces(server) == said
    assert server.asked[0]["messages"] == [user("Hi")]
    assert (server.asked[0]["model"], server.asked[0]["stream"]) == ("m", True)
    assert "tools" not in server.asked[0]
    assert "reasoning_effort" not in server.asked[0]


@pytest.mark.asyncio
async def test_a_refusal_is_words(server: Server) -> None:
    server.script.append(Speech(refusal="I can't help with that."))
    assert await pieces(server) == [Words("I can't help with that."), Finished("stop")]


@pytest.mark.asyncio
async def test_the_effort_is_sent_when_it_is_set(server: Server) -> None:
    server.script.append(Speech("Hi."))
    await pieces(server, effort="low")
    assert server.asked[0]["reasoning_effort"] == "low"


@pytest.mark.asyncio
async def test_calls_are_put_together_from_their_parts(server: Server) -> None:
    calls = (Called.of("ticket_lookup", ticket_id="TKT-1"), Called("hang_up", ""), Called("x", "{"))
    server.script.append(Speech("One moment.", calls=calls))
    assert (await pieces(server))[-4:] == [
        *(Wish(call.name, call.arguments) for call in calls),
        Finished("tool_calls"),
    ]


@pytest.mark.asyncio
async def test_no_more_calls_are_taken_than_anybody_needs(server: Server) -> None:
    server.script.append(Speech(calls=(Called("x"),) * (CALLS_MAX + 5)))
    assert len(await pieces(server)) == CALLS_MAX + 1


@pytest.mark.asyncio
async def test_calls_of_a_server_that_numbers_them_all_alike_stay_apart(server: Server) -> None:
    server.is_numbering = False
    calls = (Called.of("a", x=1), Called.of("b", y=2))
    server.script.append(Speech(calls=calls))
    assert (await pieces(server))[:2] == [Wish("a", '{"x": 1}'), Wish("b", '{"y": 2}')]


@pytest.mark.asyncio
async def test_a_stream_that_breaks_off_can_be_tried_again(server: Server) -> None:
    endings: tuple[Ending, ...] = ("cut", "silent", "error", "nonsense")
    for ending in endings:
        server.script.append(Speech("Hel", "lo", ending=ending))
        assert (await trouble(server)).may_retry, ending


@pytest.mark.asyncio
async def test_a_server_that_refuses_is_believed(server: Server) -> None:
    for status, code, headers, may_retry, after_ms in REFUSALS:
        server.script.append(Refusal(status, code, headers))
        refused = await trouble(server)
        assert (refused.may_retry, refused.retry_after_ms) == (may_retry, after_ms), headers
        why = f" ({code})" if len(code) < 60 else ""
        assert str(refused) == f"the model's server answered {status}{why}"
    assert len(server.asked) == len(REFUSALS)


@pytest.mark.asyncio
async def test_a_wrong_key_is_told_without_the_key(server: Server) -> None:
    refused = await trouble(server, api_key="sk-wrong")
    assert str(refused) == "the model's server answered 401 (invalid_api_key)"
    assert not refused.may_retry


@pytest.mark.asyncio
async def test_a_server_that_is_not_there_can_be_tried_again(server: Server) -> None:
    refused = await trouble(server, base_url="http://127.0.0.1:1/v1")
    assert str(refused) == "the model can't be reached, or went away"
    assert refused.may_retry


@pytest.mark.asyncio
async def test_waiting_for_words_can_be_given_up_and_taken_up_again(server: Server) -> None:
    server.script.append(Speech(HOLD, "Hi."))
    client = model(server)
    reading = client.ask([user("Hi")], NOTHING)
    await server.is_holding.wait()
    assert await reading.next(soon()) == Words("")
    assert await reading.next(soon(0.01)) is None
    server.may_go_on.set()
    assert await reading.next(soon()) == Words("Hi.")
    await reading.close()
    await client.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("is_answering", [True, False])
async def test_closing_cuts_the_stream_at_once(server: Server, *, is_answering: bool) -> None:
    server.script.append(Speech(HOLD, "Hi.") if is_answering else Speech("Hi.", HOLD))
    client = model(server)
    reading = client.ask([user("Hi")], NOTHING)
    await server.is_holding.wait()
    async with asyncio.timeout(1):
        await reading.close()
        await server.was_left.wait()
    await client.close()


@pytest.mark.asyncio
async def test_closing_before_the_server_answered_lets_go_of_it(server: Server) -> None:
    server.is_slow_to_begin = True
    client = model(server)
    reading = client.ask([user("Hi")], NOTHING)
    await server.is_holding.wait()
    async with asyncio.timeout(1):
        await reading.close()
    await client.close()


@pytest.mark.asyncio
async def test_a_connection_serves_one_turn_after_the_other(server: Server) -> None:
    client = model(server)
    for _ in range(3):
        server.script.append(Speech("Hello. You?"))
        reading = client.ask([user("Hi")], NOTHING)
        while not isinstance(await reading.next(soon()), Finished):
            pass
        await reading.close()
    assert len(server.connections) == 1
    await client.close()


@pytest.mark.asyncio
async def test_an_answer_nobody_reads_waits_and_is_given_up(server: Server) -> None:
    server.script.append(Speech(*["word "] * 2_000))
    client = model(server)
    reading = client.ask([user("Hi")], NOTHING)
    await wait_until(reading._pieces.full, description="no more is read ahead")
    await reading.close()
    await client.close()
