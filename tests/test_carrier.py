import asyncio
import base64
import json
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs

import pytest

import service
from service.carrier import AT_ONCE_MAX, ATTEMPTS_MAX, UPDATES_A_S, Carrier
from service.errors import CallGone, CarrierBusy, CarrierError
from tests.answering import Answering, answering

ACCOUNT = "AC" + "1" * 32
SID = "CA" + "2" * 32
GONE = (404, b'{"code":20404,"message":"not found","status":404}')
OVER = (400, b'{"code":21220,"message":"not in-progress","status":400}')
BUSY = (429, b'{"code":20429,"message":"slow down","status":429}')
BROKEN = (503, b"<html>no</html>")
LIVE = (200, json.dumps({"sid": SID, "status": "in-progress"}).encode())


def carrier(url: str, *tokens: str) -> Carrier:
    return Carrier(ACCOUNT, tokens or ("secret",), url, random.Random(1), wait_ms_first=1)


def form(script: Answering) -> dict[str, list[str]]:
    return parse_qs(script.asked[-1].body)


@pytest.mark.asyncio
async def test_twiml_is_run_on_the_call_by_its_account() -> None:
    with answering(LIVE) as script:
        await carrier(script.url).run_twiml(SID, "<Response><Hangup/></Response>")
    (asked,) = script.asked
    assert (asked.method, asked.path) == (
        "POST",
        f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{SID}.json",
    )
    assert form(script) == {"Twiml": ["<Response><Hangup/></Response>"]}
    assert asked.authorization.startswith("Basic ")


@pytest.mark.asyncio
async def test_while_a_token_is_rotated_the_one_that_the_carrier_takes_is_used() -> None:
    """A drain in the middle of a rotation moves its calls all the same."""
    unknown = (401, b'{"code":20003,"message":"Authenticate","status":401}')
    with answering(unknown, LIVE, unknown, unknown, BROKEN, LIVE) as script:
        there = carrier(script.url, "new", "old")
        await there.redirect(SID, "https://x/twiml/resume")
        with pytest.raises(CarrierError, match="401"):
            await there.redirect(SID, "https://x/twiml/resume")
        await there.redirect(SID, "https://x/twiml/resume")
    used = [
        base64.b64decode(one.authorization[6:]).decode().partition(":")[2] for one in script.asked
    ]
    assert used == ["new", "old", "new", "old", "new", "new"]


@pytest.mark.asyncio
async def test_a_call_is_sent_to_another_address() -> None:
    with answering(LIVE) as script:
        await carrier(f"{script.url}/").redirect(SID, "https://x/twiml/resume?play=r1")
    assert form(script) == {"Url": ["https://x/twiml/resume?play=r1"], "Method": ["POST"]}


@pytest.mark.asyncio
async def test_many_calls_are_sent_on_at_most_twenty_a_second() -> None:
    with answering(*[LIVE] * 5) as script:
        there = carrier(script.url)
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await asyncio.gather(*(there.redirect(SID, "https://x/twiml/resume") for _ in range(5)))
    assert loop.time() - began_s >= 4 / UPDATES_A_S


@pytest.mark.asyncio
@pytest.mark.parametrize("answer", [LIVE, GONE, OVER])
async def test_a_call_is_hung_up_even_when_it_was_over(answer: tuple[int, bytes]) -> None:
    with answering(answer) as script:
        await carrier(script.url).hang_up(SID)
    assert form(script) == {"Status": ["completed"]}
    assert len(script.asked) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "is_live"),
    [
        (LIVE, True),
        ((200, b'{"status":"ringing"}'), True),
        ((200, b'{"status":"queued"}'), True),
        ((200, b'{"status":"completed"}'), False),
        ((200, b'{"status":"busy"}'), False),
        ((200, b"{}"), False),
        (GONE, False),
    ],
)
async def test_whether_a_call_lives_is_the_carriers_to_say(
    answer: tuple[int, bytes], *, is_live: bool
) -> None:
    with answering(answer) as script:
        assert await carrier(script.url).is_live(SID) is is_live
    assert script.asked[0].method == "GET"


Ask = Callable[[Carrier], Awaitable[object]]
ASKED: dict[str, Ask] = {
    "run_twiml": lambda one: one.run_twiml(SID, "<Response/>"),
    "redirect": lambda one: one.redirect(SID, "https://x/"),
    "hang_up": lambda one: one.hang_up(SID),
    "is_live": lambda one: one.is_live(SID),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("answer", [GONE, OVER])
async def test_only_the_carriers_own_code_means_that_the_call_is_gone(
    answer: tuple[int, bytes],
) -> None:
    with answering(answer) as script, pytest.raises(CallGone) as gone:
        await carrier(script.url).run_twiml(SID, "<Response/>")
    assert gone.value.code in (20404, 21220)


@pytest.mark.asyncio
@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ((404, b"no such page"), 404, 404),
        ((404, b'{"message":"no such page"}'), 404, 404),
        ((400, b'{"code":"E12"}'), 400, 0),
        ((400, b'{"code":null}'), 400, 0),
        ((400, b"[1]"), 400, 400),
        ((401, b'{"code":20003}'), 401, 20003),
        ((400, b'{"type":"t","title":"x","status":400,"code":21205}'), 400, 21205),
    ],
)
async def test_any_other_refusal_is_an_error_at_once(
    ask: Ask, answer: tuple[int, bytes], status: int, code: int
) -> None:
    with answering(answer) as script, pytest.raises(CarrierError) as refused:
        await ask(carrier(script.url))
    assert type(refused.value) is CarrierError
    assert (refused.value.status, refused.value.code) == (status, code)
    assert len(script.asked) == 1


@pytest.mark.asyncio
async def test_a_busy_carrier_is_asked_again_until_it_takes_the_request() -> None:
    with answering(BUSY, BROKEN, (200, b"<html>"), (200, b"[1]"), LIVE) as script:
        assert await carrier(script.url).is_live(SID)
    assert len(script.asked) == ATTEMPTS_MAX == 5


@pytest.mark.asyncio
@pytest.mark.parametrize("answer", [BUSY, BROKEN])
async def test_a_carrier_that_stays_busy_is_given_up(answer: tuple[int, bytes]) -> None:
    with answering(answer) as script, pytest.raises(CarrierBusy) as busy:
        await carrier(script.url).run_twiml(SID, "<Response/>")
    assert busy.value.status == answer[0]
    assert len(script.asked) == ATTEMPTS_MAX


@pytest.mark.asyncio
async def test_a_carrier_that_cannot_be_reached_is_an_error_without_its_secrets() -> None:
    with answering(LIVE) as script:
        pass
    with pytest.raises(CarrierBusy, match="can't be reached") as unreachable:
        await carrier(script.url).run_twiml(SID, "<Response/>")
    assert unreachable.value.status == 0
    assert "secret" not in str(unreachable.value)


@pytest.mark.asyncio
async def test_more_than_are_asked_at_once_get_their_answers_all_the_same() -> None:
    with answering(LIVE) as script:
        one = carrier(script.url)
        await asyncio.gather(*(one.is_live(SID) for _ in range(AT_ONCE_MAX + 5)))
    assert len(script.asked) == AT_ONCE_MAX + 5


@pytest.mark.asyncio
async def test_a_call_with_a_query_keeps_it() -> None:
    with answering((200, b'{"calls":[]}')) as script:
        client = carrier(script.url)._clients[0]
        await asyncio.to_thread(lambda: client.calls.list(to="+1", limit=1))
    assert script.asked[0].path.startswith(f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json?To=")


@pytest.mark.asyncio
async def test_a_number_is_rung_and_the_new_call_has_a_name() -> None:
    with answering((201, LIVE[1])) as script:
        made = await carrier(script.url).ring(
            "+15550001",
            "+15550100",
            url="https://x/voice?callback=CA1",
            status_url="https://x/s",
            timeout_s=30,
        )
    assert made == SID
    (asked,) = script.asked
    assert (asked.method, asked.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json")
    assert form(script)["Url"] == ["https://x/voice?callback=CA1"]
    assert form(script)["StatusCallback"] == ["https://x/s"]


@pytest.mark.asyncio
@pytest.mark.parametrize(("answers", "times"), [((BROKEN, LIVE), 1), ((BUSY, (201, LIVE[1])), 2)])
async def test_a_call_is_asked_for_again_only_if_it_was_not_made(
    answers: tuple[tuple[int, bytes], ...], times: int
) -> None:
    with answering(*answers) as script:
        ringing = carrier(script.url).ring("+1", "+2", url="u", status_url="s", timeout_s=30)
        if times == 1:
            with pytest.raises(CarrierError) as trouble:
                await ringing
            assert not trouble.value.is_refusal
        else:
            assert await ringing == SID
    assert len(script.asked) == times


@pytest.mark.asyncio
async def test_the_calls_that_we_made_are_found() -> None:
    def made(sid: str, date: str, direction: str = "outbound-api") -> dict[str, str]:
        return {"sid": sid, "date_created": date, "direction": direction, "status": "ringing"}

    calls = [
        made("CAin", "Tue, 14 Nov 2023 22:13:40 +0000", "inbound"),
        made("CAnew", "Tue, 14 Nov 2023 22:13:30 +0000"),
        made("CAold", "Tue, 14 Nov 2023 22:13:10 +0000"),
    ]
    page = (200, json.dumps({"calls": calls, "page": 0, "next_page_uri": None}).encode())
    with answering(page, page) as script:
        asking = carrier(script.url)
        assert await asking.rung("+1", "+2", since_ms=1_700_000_005_000) == "CAnew"
        assert await asking.rung("+1", "+2", since_ms=1_700_000_019_000) == ""
    assert "To=%2B1" in script.asked[0].path


@pytest.mark.asyncio
@pytest.mark.parametrize(("answer", "word"), [(LIVE, "in-progress"), (GONE, "")])
async def test_a_call_has_a_status_or_is_not_known(answer: tuple[int, bytes], word: str) -> None:
    with answering(answer) as script:
        assert await carrier(script.url).status(SID) == word


ASK = """
import sys
from service.carrier import Carrier, warm
warm()
before = set(sys.modules)
from random import Random
Carrier("AC1", ("token",), "http://127.0.0.1:9", Random(1))._clients[0].calls("CA1").update
print(sorted(set(sys.modules) - before))
"""


def test_nothing_is_loaded_when_the_carrier_is_first_asked() -> None:
    root = Path(service.__file__).parent.parent
    words = [sys.executable, "-c", ASK]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    assert done.stdout.strip() == "[]"
