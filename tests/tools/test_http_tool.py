import asyncio
import gzip
import json
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from service.outbound.rules import ANYWHERE
from service.tools.address import Address
from service.tools.http_tool import ANSWER_BYTES_MAX, HttpTool, Method, open_client
from service.tools.terms import RESULT_BYTES_MAX, Outcome
from tests.tools.shop import Trick, answer, shop

KEY = "CA1:t3.1"
WORDS = {"ticket_id": "TKT-1234", "text": "my card is 4111"}
OK = answer(200, b'{"ok": true}', "content-type: application/json")
SHORT_MS = 80


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with open_client(ANYWHERE.naming("http://127.0.0.1")) as client:
        yield client


def tool(
    http: httpx2.AsyncClient,
    url: str,
    method: Method = "POST",
    *,
    headers: dict[str, str] | None = None,
    is_idempotent: bool = False,
) -> HttpTool:
    address = Address(f"{url}/tickets/{{ticket_id}}/notes")
    return HttpTool(http, method, address, headers or {}, is_idempotent=is_idempotent)


async def ask(
    one: HttpTool,
    arguments: dict[str, Any] | None = None,
    *,
    within_ms: int = 5000,
    key: str = KEY,
    call_sid: str = "CA1",
) -> Outcome:
    until = asyncio.get_running_loop().time() + within_ms / 1000
    return await one.call(arguments or WORDS, key=key, call_sid=call_sid, until=until)


async def outcome(
    http: httpx2.AsyncClient,
    given: bytes | Trick,
    *,
    is_idempotent: bool = False,
    within_ms: int = 5000,
) -> Outcome:
    async with shop(given) as ours:
        one = tool(http, ours.url, is_idempotent=is_idempotent)
        return await ask(one, within_ms=within_ms)


@pytest.mark.asyncio
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_request_carries_key_and_call_and_the_rest_of_its_arguments_as_json(
    http: httpx2.AsyncClient, method: Method
) -> None:
    async with shop(OK) as ours:
        own = {"Authorization": "Bearer s3", "Content-Type": "application/vnd.crm+json"}
        assert await ask(tool(http, ours.url, method, headers=own)) == Outcome(
            "succeeded", '{"ok":true}'
        )
    (asked,) = ours.asked
    assert (asked.method, asked.target) == (method, "/tickets/TKT-1234/notes")
    assert json.loads(asked.body) == {"text": "my card is 4111"}
    assert asked.headers["idempotency-key"] == KEY
    assert asked.headers["stayline-call"] == "CA1"
    assert asked.headers["authorization"] == "Bearer s3"
    assert asked.headers["content-type"] == "application/vnd.crm+json"
    assert asked.headers["accept-encoding"] == "identity"


@pytest.mark.asyncio
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_question_carries_the_rest_of_its_arguments_in_the_query(
    http: httpx2.AsyncClient, method: Method
) -> None:
    async with shop(OK) as ours:
        await ask(tool(http, ours.url, method), {"ticket_id": "TKT 1", "text": "a&b", "full": True})
    (asked,) = ours.asked
    assert (asked.method, asked.target) == (method, "/tickets/TKT%201/notes?text=a%26b&full=true")
    assert asked.body == b""
    assert asked.headers["idempotency-key"] == KEY


@pytest.mark.asyncio
async def test_identifiers_with_strange_signs_split_no_header(http: httpx2.AsyncClient) -> None:
    async with shop(OK) as ours:
        await ask(tool(http, ours.url), key="CA é\r\nx: y:1", call_sid="CA\r\nx: y")
    assert "x" not in ours.asked[0].headers
    assert ours.asked[0].headers["idempotency-key"] == "CA%20%C3%A9%0D%0Ax:%20y:1"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "is_idempotent", "expected"),
    [
        (201, False, ("succeeded", False)),
        (404, True, ("failed", False)),
        (429, False, ("failed", True)),
        (503, True, ("failed", True)),
        (504, False, ("unanswered", False)),
        (500, False, ("unanswered", False)),
        (500, True, ("failed", True)),
        (302, False, ("unanswered", False)),
    ],
)
async def test_an_answer_means_what_its_status_says(
    http: httpx2.AsyncClient, status: int, expected: tuple[str, bool], *, is_idempotent: bool
) -> None:
    came = await outcome(http, answer(status, b"{}"), is_idempotent=is_idempotent)
    assert (came.status, came.may_retry) == expected


@pytest.mark.asyncio
async def test_a_time_to_wait_is_passed_on(http: httpx2.AsyncClient) -> None:
    came = await outcome(http, answer(503, b"", "Retry-After: 2"))
    assert came == Outcome("failed", detail="It answered 503.", may_retry=True, retry_after_ms=2000)


@pytest.mark.asyncio
async def test_no_redirect_is_followed(http: httpx2.AsyncClient) -> None:
    async with shop(OK) as elsewhere:
        moved = answer(307, b"", f"location: {elsewhere.url}/steal")
        came = await outcome(http, moved, is_idempotent=True)
    assert (came.status, came.may_retry) == ("failed", False)
    assert elsewhere.asked == []


@pytest.mark.asyncio
@pytest.mark.parametrize("is_idempotent", [True, False])
async def test_what_nobody_listens_to_was_not_sent(
    http: httpx2.AsyncClient, *, is_idempotent: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    came = await ask(tool(http, f"http://127.0.0.1:{port}", is_idempotent=is_idempotent))
    assert (came.status, came.may_retry) == ("failed", True)


@pytest.mark.asyncio
async def test_a_name_that_nobody_knows_was_not_sent(http: httpx2.AsyncClient) -> None:
    came = await ask(tool(http, "http://nowhere.invalid"))
    assert (came.status, came.may_retry) == ("failed", True)


@pytest.mark.asyncio
async def test_a_handshake_that_never_ends_was_not_sent(http: httpx2.AsyncClient) -> None:
    async with shop("stall") as ours:
        came = await ask(tool(http, f"https://127.0.0.1:{ours.port}"), within_ms=SHORT_MS)
    assert came == Outcome("failed", detail="It gave no answer in time.", may_retry=True)


CUT_SHORT = b"HTTP/1.1 200 Said\r\ncontent-length: 99\r\nconnection: close\r\n\r\n{"
BROKEN = [b"HTTP/1.1 200 Sa", CUT_SHORT, b"SSH-2.0-OpenSSH\r\n\r\n", "drop"]


@pytest.mark.asyncio
@pytest.mark.parametrize("given", BROKEN)
@pytest.mark.parametrize("is_idempotent", [True, False])
async def test_an_answer_that_is_lost_leaves_open_whether_it_acted(
    http: httpx2.AsyncClient, given: bytes | Trick, *, is_idempotent: bool
) -> None:
    came = await outcome(http, given, is_idempotent=is_idempotent, within_ms=SHORT_MS)
    assert (came.status, came.may_retry, came.result) == ("unanswered", is_idempotent, "null")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "given", ["stall", b"HTTP/1.1 200 Said\r\ncontent-length: 99\r\n\r\n{"], ids=["head", "body"]
)
async def test_an_answer_that_comes_too_late_leaves_open_whether_it_acted(
    http: httpx2.AsyncClient, given: bytes | Trick
) -> None:
    came = await outcome(http, given, within_ms=SHORT_MS)
    assert came == Outcome("unanswered", detail="It gave no answer in time.")


@pytest.mark.asyncio
async def test_an_endless_answer_is_read_to_the_limit_and_left(http: httpx2.AsyncClient) -> None:
    endless = (
        b"HTTP/1.1 200 Said\r\ncontent-length: 999999999\r\n\r\n" + b"x" * 2 * ANSWER_BYTES_MAX
    )
    async with shop(endless) as ours:
        came = await ask(tool(http, ours.url))
        await asyncio.wait_for(ours.was_left.wait(), 5)
    assert came.status == "succeeded"
    assert "cut" in came.detail
    assert RESULT_BYTES_MAX - 8 < len(came.result) <= RESULT_BYTES_MAX


@pytest.mark.asyncio
async def test_a_packed_answer_is_never_unpacked(http: httpx2.AsyncClient) -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    came = await outcome(http, answer(200, bomb, "content-encoding: gzip"))
    assert (came.status, came.result) == ("succeeded", "null")


@pytest.mark.asyncio
async def test_a_cookie_of_one_call_goes_to_no_other(http: httpx2.AsyncClient) -> None:
    async with shop(answer(200, b"1", "set-cookie: session=sarah; Path=/")) as ours:
        await ask(tool(http, ours.url))
        await ask(tool(http, ours.url))
    assert len(ours.asked) == 2
    assert "cookie" not in ours.asked[1].headers


@pytest.mark.asyncio
async def test_attempts_share_a_connection(http: httpx2.AsyncClient) -> None:
    async with shop(OK) as ours:
        for _ in range(3):
            await ask(tool(http, ours.url))
    assert (len(ours.asked), ours.connections) == (3, 1)


@pytest.mark.asyncio
async def test_a_call_that_is_cancelled_lets_its_connection_go(http: httpx2.AsyncClient) -> None:
    async with shop("stall") as ours:
        asking = asyncio.create_task(ask(tool(http, ours.url)))
        await asyncio.wait_for(ours.was_asked.wait(), 5)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.wait_for(ours.was_left.wait(), 5)


@pytest.mark.asyncio
async def test_arguments_that_would_lead_elsewhere_are_not_sent(http: httpx2.AsyncClient) -> None:
    async with shop(OK) as ours:
        one = tool(http, ours.url)
        came = await ask(one, {"ticket_id": ".."})
        with pytest.raises(ValueError, match="dots"):
            one.check({"ticket_id": ".."})
    assert (came.status, came.may_retry) == ("failed", False)
    assert ours.asked == []


@pytest.mark.asyncio
async def test_neither_words_nor_secrets_stand_in_details_and_logs(
    http: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with shop("drop") as ours:
        came = await ask(tool(http, ours.url, "GET", headers={"X-Key": "s3cret"}))
    for secret in ("4111", "TKT", "s3cret"):
        assert secret not in came.detail
        assert secret not in caplog.text
    assert "a tool's request failed" in caplog.text
    assert caplog.records[0].__dict__["call_sid"] == "CA1"
