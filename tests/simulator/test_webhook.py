import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service.clock import Clock
from service.simulator import webhook as w
from service.simulator.account import Account, Number
from tests.simulator.talker import ACCOUNT, TOKEN, Talker

pytestmark = pytest.mark.asyncio
FIELDS = [("CallSid", "CA1"), ("From", "+15550001")]


@pytest_asyncio.fixture
async def webhooks() -> AsyncIterator[w.Webhooks]:
    asking = w.Webhooks(Account(ACCOUNT, TOKEN), Clock())
    yield asking
    await asking.close()


async def ask(
    webhooks: w.Webhooks, talker: Talker, path: str, method: str = "POST"
) -> w.Answer | w.Failure:
    number = Number(server_url=talker.url)
    return await webhooks.ask(number, talker.url + path, FIELDS, method)


async def test_a_document_is_asked_for_with_a_form(webhooks: w.Webhooks, talker: Talker) -> None:
    answer = await ask(webhooks, talker, "/twiml/voice")
    assert isinstance(answer, w.Answer)
    assert len(answer.document.verbs) == 2
    assert talker.asked[0].fields == dict(FIELDS)
    assert talker.asked[0].headers["user-agent"] == "TwilioProxy/1.1"


async def test_a_get_carries_the_form_in_its_url(webhooks: w.Webhooks, talker: Talker) -> None:
    answer = await ask(webhooks, talker, "/other?a=1", "GET")
    assert isinstance(answer, w.Answer)
    assert talker.asked[0].url.endswith("/other?a=1&CallSid=CA1&From=%2B15550001")


@pytest.mark.parametrize(
    ("path", "status", "document", "code"),
    [
        ("/other", 500, "<Response/>", w.REFUSED),
        ("/other", 302, "<Response/>", w.REFUSED),
        ("/other", 200, "hello", w.UNREADABLE),
        ("/other", 200, "<Response>" + " " * 200_000, w.UNREADABLE),
        ("/nowhere", 404, "", w.REFUSED),
    ],
)
async def test_what_is_no_document_is_a_failure(
    webhooks: w.Webhooks, talker: Talker, path: str, status: int, document: str, code: int
) -> None:
    talker.documents[path], talker.statuses[path] = document, status
    failure = await ask(webhooks, talker, path)
    assert isinstance(failure, w.Failure)
    assert failure.code == code
    assert len(talker.at(path)) in {0, 1}


async def test_retries_are_asked_for_by_the_urls_fragment(
    webhooks: w.Webhooks, talker: Talker
) -> None:
    talker.statuses["/other"] = 503
    failure = await ask(webhooks, talker, "/other#rc=2&rp=5xx")
    assert isinstance(failure, w.Failure)
    assert len(talker.at("/other")) == 3
    assert len({asked.headers["i-twilio-idempotency-token"] for asked in talker.asked}) == 1


async def test_nobody_there_is_a_failure_of_its_own(webhooks: w.Webhooks) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    failure = await webhooks.ask(Number(server_url=url), url + "/twiml/voice", FIELDS)
    assert isinstance(failure, w.Failure)
    assert failure.code == w.UNREACHABLE
    assert await webhooks.tell(Number(server_url=url), url + "/callbacks/call", FIELDS) == 0


@pytest.mark.parametrize("url", ["ftp://h/a", "http://[", "http://h:port/a", "", "/a", "http://"])
async def test_an_url_that_is_none_is_a_failure(webhooks: w.Webhooks, url: str) -> None:
    number = Number(server_url="http://127.0.0.1:1")
    assert await webhooks.ask(number, url, FIELDS) == w.Failure(url, w.MALFORMED, "this is no URL")
    assert await webhooks.tell(number, url, FIELDS) == 0


async def test_another_content_type_is_warned_of(webhooks: w.Webhooks, talker: Talker) -> None:
    talker.media_type = "text/plain"
    answer = await ask(webhooks, talker, "/other")
    assert isinstance(answer, w.Answer)
    assert [warned.code for warned in answer.document.warnings] == [w.WRONG_CONTENT]


async def test_a_callback_returns_the_answers_status(webhooks: w.Webhooks, talker: Talker) -> None:
    number = Number(server_url=talker.url)
    assert await webhooks.tell(number, talker.url + "/callbacks/call", FIELDS) == 204
