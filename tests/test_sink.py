import json
import logging

import pytest

from service.outbound.rules import ANYWHERE, parsed
from service.sink import ANSWER_BYTES_MAX, HttpSink
from tests.answering import answering

CARD = "4111111111111111"
REFERENCE = b'{"reference": "tok_1"}'


async def take(url: str, token: str = "") -> tuple[str, str]:
    sink = HttpSink(f"{url}/take", token, ANYWHERE)
    return await sink.take(CARD, field="card", call_sid="CA1", key="CA1:c1:1")


@pytest.mark.asyncio
async def test_a_number_goes_to_the_sink_and_its_reference_comes_back() -> None:
    with answering((200, REFERENCE)) as script:
        assert await take(script.url, "secret") == ("taken", "tok_1")
        (asked,) = script.asked
        assert (asked.method, asked.path, asked.authorization) == ("POST", "/take", "Bearer secret")
        assert json.loads(asked.body) == {"call_sid": "CA1", "field": "card", "digits": CARD}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (422, b"{}", "refused"),
        (500, b"{}", "failed"),
        (302, b"{}", "failed"),
        (200, b"nonsense", "failed"),
        (200, b"[]", "failed"),
        (200, b'{"reference": 7}', "failed"),
        (200, b'{"reference": ""}', "failed"),
        (200, b" " * (ANSWER_BYTES_MAX + 1), "failed"),
    ],
)
async def test_whatever_else_it_answers_is_no_reference(
    status: int, body: bytes, outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "service")
    with answering((status, body)) as script:
        assert await take(script.url) == (outcome, "")
        assert len(script.asked) == 1
    assert CARD not in caplog.text


@pytest.mark.asyncio
async def test_a_sink_that_may_not_be_asked_or_is_not_there_has_failed() -> None:
    assert await take("http://127.0.0.1:9") == ("failed", "")
    sink = HttpSink("https://10.0.0.1/take", "", parsed((), ()))
    assert await sink.take(CARD, field="card", call_sid="CA1", key="k") == ("failed", "")
