import json
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from service.call import events as e
from service.call.acts import Say, Transfer
from service.call.decisions.ending import UNDIALABLE_LINE
from service.pages.carriers import WINDOW_PASSED
from service.pages.lines import COME_BACK, ENDED
from service.pages.names import is_from_page
from service.web import phone as module
from tests.conftest import wait_until
from tests.session.parts import ScriptedAgent
from tests.web.front import CALL, Front
from tests.web.pages import HERE, open_call, page, resumed

pytestmark = pytest.mark.asyncio

# These pages send no sound, and how long they live is the machine's business.
OPEN = {"phone": "open", "media_idle_s": 0}


async def kinds(front: Front, call_sid: str) -> list[str]:
    return [type(fact).__name__ for fact in await front.facts(call_sid)]


@pytest.mark.parametrize("changes", [OPEN])
async def test_a_page_calls_reloads_and_is_not_greeted_twice(front: Front, host: str) -> None:
    """N24: the page asks before it opens a socket, and goes on where it was."""
    made = await open_call(front, client_name="Ana", company="Blue", ticket_id="T1")
    sid = made["call_sid"]
    assert is_from_page(sid)
    assert made["windows"] == {"reload_s": 20, "resume_s": 600}
    assert made["stream_url"] == "wss://calls.example.com/phone/media"
    async with page(host) as one:
        await one.start(made["stream_token"], call_sid=sid)
        await one.hear("mark")
        await one.send("dtmf", dtmf={"digit": "7"})
        session = front.parts.switchboard.find(sid)
        assert session is not None
        await wait_until(lambda: session.call.digits_pending == "7", description="a key is noted")
    await wait_until(lambda: session.call.phase == "detached", description="the reload is noted")
    back = await resumed(front, sid, made["recovery"])
    assert (back["phase"], session.call.parameters["company"]) == ("detached", "Blue")
    async with page(host, "MZ2") as two:
        await two.start(back["stream_token"], call_sid=sid)
        await wait_until(lambda: session.call.phase == "live", description="it is resumed")
        assert [one.cause for one in session.call.streams] == ["new", "drop"]
        assert session.call.digits_pending == "7"
    assert (await kinds(front, sid)).count("Greeted") == 1
    assert front.carrier.asked == []


@pytest.mark.parametrize("changes", [OPEN])
async def test_a_call_that_is_hung_up_is_over_for_page_and_server(front: Front, host: str) -> None:
    made = await open_call(front)
    sid, shown = made["call_sid"], {"recovery": made["recovery"]}
    async with page(host) as one:
        await one.start(made["stream_token"], call_sid=sid)
        await one.hear("mark")
        for _ in range(2):
            gone = await front.web.post(f"/api/phone/calls/{sid}/hangup", json=shown)
            assert gone.status_code == 204
        assert await one.closed() == (ENDED, "ended")
    again = await resume(front, sid, made["recovery"])
    assert (again.status_code, again.json()["reason"]) == (410, "ended")
    assert isinstance((await front.facts(sid))[-1], e.CallEnded)


@pytest.mark.parametrize("changes", [OPEN])
async def test_digits_restart_a_pages_stream_and_it_comes_back_for_that(
    front: Front, host: str
) -> None:
    made = await open_call(front)
    sid = made["call_sid"]
    async with page(host) as one:
        await one.start(made["stream_token"], call_sid=sid)
        await one.hear("mark")
        asked = await front.api("POST", f"/api/calls/{sid}/digits", json={"digits": "12"})
        assert asked.status_code == 202
        assert (await one.closed())[0] == COME_BACK
    back = await resumed(front, sid, made["recovery"])
    async with page(host, "MZ2") as two:
        await two.start(back["stream_token"], call_sid=sid)
        session = front.parts.switchboard.find(sid)
        assert session is not None
        await wait_until(lambda: session.call.phase == "live", description="it is back")
        assert session.call.streams[-1].cause == "dtmf"


@pytest.mark.parametrize("changes", [OPEN])
async def test_a_retried_request_is_answered_alike_and_a_lost_answer_locks_nobody_out(
    front: Front,
) -> None:
    made = await open_call(front)
    sid, first = made["call_sid"], made["recovery"]
    lost, again = [(await resumed(front, sid, first, "a"))["recovery"] for _ in range(2)]
    assert nonce(lost) == nonce(again)
    other = (await resumed(front, sid, first, "b"))["recovery"]
    assert (await resume(front, sid, other, "c")).status_code == 200
    for retired in (first, lost):
        refused = await resume(front, sid, retired, "d")
        assert (refused.status_code, refused.json()["reason"]) == (401, "recovery")
    assert (await resume(front, sid, other, "e")).status_code == 200


@pytest.mark.parametrize("changes", [OPEN])
async def test_a_token_is_kept_warm_but_not_replaced_while_it_is_young(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await open_call(front)
    path, shown = f"/api/phone/calls/{made['call_sid']}/keep", {"recovery": made["recovery"]}
    young = await front.web.post(path, json=shown)
    assert young.json()["recovery"] == made["recovery"]
    monkeypatch.setattr(module, "KEEP_MS", -1)
    kept = await front.web.post(path, json=shown)
    assert kept.json()["recovery"] != made["recovery"]
    assert (await resume(front, made["call_sid"], kept.json()["recovery"])).status_code == 200


@pytest.mark.parametrize("changes", [{**OPEN, "resume_window_s": 0}])
async def test_who_comes_too_late_is_told_so_kindly(front: Front) -> None:
    made = await open_call(front)
    for _ in range(2):
        late = await resume(front, made["call_sid"], made["recovery"])
        assert (late.status_code, late.json()["reason"]) == (410, "window")
        assert "new one" in late.json()["detail"]
    assert (await front.facts(made["call_sid"]))[-1] == e.CallEnded(reason=WINDOW_PASSED)


@pytest.mark.parametrize("changes", [OPEN])
async def test_an_erased_call_is_gone_for_its_page_too(front: Front) -> None:
    made = await open_call(front)
    assert (await front.api("DELETE", f"/api/calls/{made['call_sid']}")).status_code == 204
    assert (await resume(front, made["call_sid"], made["recovery"])).status_code == 410


@pytest.mark.parametrize("changes", [OPEN])
async def test_a_token_of_another_call_or_none_is_refused(front: Front) -> None:
    """S-2: a recovery token opens its own call and nothing else."""
    one, other = await open_call(front), await open_call(front)
    for shown in (other["recovery"], one["stream_token"], "", "1.2.3.4.5.6"):
        refused = await resume(front, one["call_sid"], shown)
        assert refused.status_code == 401, shown
    assert (await resume(front, CALL, one["recovery"])).status_code == 404


@pytest.mark.parametrize("changes", [OPEN])
async def test_a_pages_token_and_the_carriers_open_only_their_own_doors(
    front: Front, host: str
) -> None:
    """S-1: no signature, so the origin and the token are all there is."""
    made = await open_call(front)
    async with page(host, path="/media", signed=True) as one:
        await one.start(made["stream_token"], call_sid=made["call_sid"])
        assert await one.closed() == (1008, "the token is a page's")
    async with page(host) as two:
        await two.start(await front.token())
        assert await two.closed() == (1008, "the token is no page's")
    for origin in ("", "https://evil.example.com", "null"):
        with pytest.raises(InvalidStatus):
            async with page(host, origin=origin):
                pass
    assert len(front.parts.switchboard) == 0


@pytest.mark.parametrize("changes", [OPEN])
async def test_a_stream_token_lets_one_stream_in(front: Front, host: str) -> None:
    made = await open_call(front)
    async with page(host) as one:
        await one.start(made["stream_token"], call_sid=made["call_sid"])
        await one.hear("mark")
        async with page(host) as two:
            await two.start(made["stream_token"], call_sid=made["call_sid"])
            assert (await two.closed())[0] == 1008


@pytest.mark.parametrize("changes", [OPEN])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[]", 422),
        (b'{"client_name": 1}', 422),
        (b'{"unknown": ""}', 422),
        (b"{", 400),
        (b'{"client_name": "\xff"}', 400),
        (b'{"company": "' + b"x" * 481 + b'"}', 422),
        (b"x" * 9_000, 413),
        (b"[" * 5_000, 422),
        (b"", 201),
    ],
)
async def test_whatever_is_sent_is_answered_clearly(front: Front, body: bytes, status: int) -> None:
    answer = await front.web.post("/api/phone/calls", content=body)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("changes", [OPEN])
async def test_an_attempt_has_a_name(front: Front) -> None:
    made = await open_call(front)
    for attempt in ("", "x" * 65, "{}", "\n"):
        assert (await resume(front, made["call_sid"], made["recovery"], attempt)).status_code == 422


async def test_only_who_is_logged_in_may_call_by_default(front: Front) -> None:
    refused = await front.web.post("/api/phone/calls", json={})
    assert refused.status_code == 401
    assert (await front.api("POST", "/api/phone/calls", bearer="see", json={})).status_code == 403
    made = (await front.api("POST", "/api/phone/calls", bearer="other", json={})).json()
    opened = (await front.facts(made["call_sid"]))[0]
    assert isinstance(opened, e.CallOpened)
    assert (opened.tenant, opened.direction) == ("another tenant", "browser")


@pytest.mark.parametrize("changes", [{"phone": "off"}])
async def test_a_phone_that_is_off_is_not_there(front: Front, host: str) -> None:
    assert (await front.web.post("/api/phone/calls", json={})).status_code == 404
    with pytest.raises(InvalidStatus):
        async with page(host):
            pass


@pytest.mark.parametrize("changes", [OPEN])
async def test_a_flood_of_new_calls_is_turned_away(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "OPENINGS_A_MINUTE", 1)
    await open_call(front)
    assert (await front.web.post("/api/phone/calls", json={})).status_code == 429
    monkeypatch.setattr(module, "MINUTE_MS", 0)
    await open_call(front)


@pytest.mark.parametrize("changes", [OPEN])
async def test_a_server_that_goes_down_sends_pages_elsewhere(front: Front) -> None:
    made = await open_call(front)
    front.parts.switchboard.is_draining = True
    away = await resume(front, made["call_sid"], made["recovery"])
    assert away.status_code == 503
    assert (await front.web.post("/api/phone/calls", json={})).status_code == 503


@pytest.mark.parametrize("changes", [OPEN])
async def test_a_person_asks_in_vain_to_put_a_page_through_or_to_ring_it_back(front: Front) -> None:
    made = await open_call(front, company="Blue", ticket_id="T1")
    path = f"/api/calls/{made['call_sid']}"
    asked = await front.api("POST", f"{path}/transfer", json={"to": "+15550123"})
    assert (asked.status_code, asked.json()["title"]) == (409, "Conflict")
    assert "can't be put through" in asked.json()["detail"]
    gone = {"recovery": made["recovery"]}
    await front.web.post(f"/api/phone/calls/{made['call_sid']}/hangup", json=gone)
    asked = await front.api("POST", f"{path}/callback")
    assert (asked.status_code, asked.json()["title"]) == (409, "Conflict")
    assert front.carrier.asked == []


def connecting() -> ScriptedAgent:
    """An agent that puts whoever presses a key through."""
    agent = ScriptedAgent()
    agent.script.append([Say("Of course."), Transfer()])
    return agent


@pytest.mark.parametrize("changes", [{**OPEN, "agent": connecting()}])
async def test_who_asks_a_page_for_a_person_is_told_and_goes_on(front: Front, host: str) -> None:
    made = await open_call(front)
    sid = made["call_sid"]
    async with page(host) as one:
        await one.start(made["stream_token"], call_sid=sid)
        await one.hear("mark")
        session = front.parts.switchboard.find(sid)
        assert session is not None
        for digit in "0#":
            await one.send("dtmf", dtmf={"digit": digit})
        for _ in range(3):  # a mark for each clause of the agent's line, and of ours
            await one.hear("mark")
        await wait_until(
            lambda: session.call.transcript[-1].heard == UNDIALABLE_LINE, description="it is told"
        )
        assert (session.call.phase, session.call.ending) == ("live", "")
        told = await kinds(front, sid)
        assert told.index("EndingStarted") < told.index("EndingRefused")
        assert front.carrier.asked == []


@pytest.mark.parametrize("changes", [{**OPEN, "drop_limit": "1/60"}])
async def test_a_page_may_be_reloaded_as_often_as_its_person_likes(front: Front, host: str) -> None:
    made = await open_call(front)
    sid = made["call_sid"]
    for number in range(4):
        async with page(host, f"MZ{number}") as one:
            await one.start(made["stream_token"], call_sid=sid)
            await wait_until(lambda: phase(front, sid) == "live", description="it is there")
            await one.socket.close(1001)
        await wait_until(lambda: phase(front, sid) == "detached", description="it is noted")
        made = await resumed(front, sid, made["recovery"])
    session = front.parts.switchboard.find(sid)
    assert session is not None
    assert {stream.reason for stream in session.call.streams} == {"left"}
    assert len(session.call.streams) == 4
    assert not session.call.is_drop_limited


@pytest.mark.parametrize("changes", [OPEN])
async def test_where_nobody_has_to_log_in_the_call_is_still_the_logins(front: Front) -> None:
    async def tenant(answer: httpx2.Response) -> str:
        (opened, *_) = await front.facts(answer.json()["call_sid"])
        assert isinstance(opened, e.CallOpened)
        return opened.tenant

    path = "/api/phone/calls"
    assert await tenant(await front.api("POST", path, bearer="other", json={})) == "another tenant"
    assert await tenant(await front.api("POST", path, bearer="see", json={})) == "default"
    assert (await front.api("POST", path, bearer="wrong", json={})).status_code == 401
    ours = {"origin": HERE, "x-stayline": "1"}
    signed = await front.web.post("/api/session", json={"token": "other"}, headers=ours)
    assert signed.status_code == 204
    assert await tenant(await front.web.post(path, json={}, headers=ours)) == "another tenant"
    await front.web.delete("/api/session", headers=ours)
    assert await tenant(await front.web.post(path, json={}, headers=ours)) == "default"


async def resume(
    front: Front, call_sid: str, recovery: str, attempt: str = "try"
) -> httpx2.Response:
    body: dict[str, Any] = {"recovery": recovery, "attempt": attempt}
    path = f"/api/phone/calls/{call_sid}/resume"
    return await front.web.post(path, content=json.dumps(body), headers={"origin": HERE})


def phase(front: Front, call_sid: str) -> str:
    session = front.parts.switchboard.find(call_sid)
    return "" if session is None else session.call.phase


def nonce(recovery: str) -> str:
    return recovery.split(".")[4]
