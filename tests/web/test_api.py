import asyncio
import json
from typing import Any

import pytest

from service.call import events as e
from service.errors import CarrierBusy, StoreUnavailable
from service.web.door import body as module
from tests.web.front import CALL, Front, ring

pytestmark = pytest.mark.asyncio

ONE = f"/api/calls/{CALL}"
ACTS: dict[str, dict[str, Any]] = {
    "digits": {"digits": "1w2"},
    "say": {"text": "Hold on, please."},
    "transfer": {"to": "+15550123"},
    "hangup": {},
    "notes": {"text": "He is angry."},
}
READS = (("GET", "/api/calls"), ("GET", ONE), ("GET", f"{ONE}/events"))
OPERATION = f"{ONE}/operations/t1.1"
EVERY = (
    *READS,
    ("POST", OPERATION),
    *(("POST", f"{ONE}/{act}") for act in ACTS),
    ("DELETE", ONE),
)
KEYS = {
    "call_sid", "tenant", "phase", "stage", "epoch", "incarnation", "position", "from", "to",
    "opened_at", "updated_at", "ended_at", "parameters", "fields", "digits_pending", "transcript",
    "operations", "streams", "playback",
}  # fmt: skip


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert set(body) == {"type", "title", "status", "detail"}
    return body


@pytest.mark.parametrize(("method", "path"), EVERY)
async def test_without_a_token_nobody_comes_in(front: Front, method: str, path: str) -> None:
    for headers in (
        {},
        {"authorization": "Bearer nope"},
        {"authorization": "Bearer"},
        {"authorization": "Basic all"},
        {"authorization": "all"},
        {"authorization": "Bearer all extra"},
    ):
        answer = await front.web.request(method, path, headers=headers)
        problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_each_role_may_do_its_own_and_no_more(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    for method, path in READS:
        assert (await front.api(method, path, bearer="see")).status_code == 200
    for act, body in ACTS.items():
        problem(await front.api("POST", f"{ONE}/{act}", bearer="see", json=body), 403)
    assert (
        await front.api("POST", f"{ONE}/notes", bearer="act", json=ACTS["notes"])
    ).status_code == 202
    problem(await front.api("DELETE", ONE, bearer="act"), 403)


@pytest.mark.parametrize(("method", "path"), EVERY)
async def test_another_tenants_call_is_not_there(front: Front, method: str, path: str) -> None:
    await front.hook("/twiml/voice", ring())
    answer = await front.api(method, path, bearer="other", json=ACTS.get(path.rpartition("/")[2]))
    if path == "/api/calls":
        assert answer.json() == {"calls": []}
    else:
        problem(answer, 404)
    assert len(await front.facts()) == 1


async def test_a_call_is_shown_as_the_contract_says(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    shown = (await front.api("GET", ONE)).json()
    assert set(shown) >= KEYS
    assert shown["phase"] == "ringing"
    assert shown["ended_at"] is None
    assert set(shown["parameters"]) >= {"client_name", "company", "ticket_id"}
    assert set(shown["playback"]) == {
        "prompt", "generated_ms", "synthesised_ms", "sent_ms", "heard_ms",
    }  # fmt: skip


async def test_calls_are_listed_oldest_first_and_by_phase(front: Front) -> None:
    for number in (1, 2, 3):
        await front.hook("/twiml/voice", ring(CallSid=f"CA{number}"))
    await front.hook("/callbacks/call", ring(CallSid="CA2", CallStatus="completed"))
    listed = (await front.api("GET", "/api/calls")).json()["calls"]
    assert [call["call_sid"] for call in listed] == ["CA1", "CA2", "CA3"]
    ended = (await front.api("GET", "/api/calls?phase=ended")).json()["calls"]
    assert [call["call_sid"] for call in ended] == ["CA2"]
    assert (await front.api("GET", "/api/calls?phase=live")).json()["calls"] == []
    problem(await front.api("GET", "/api/calls?phase=asleep"), 400)


@pytest.mark.parametrize(
    "call_sid", ["CA9", "%00", "CA{1}", "%F0%9F%93%9E", "x" * 5_000, "..%2F..%2Fetc"]
)
async def test_a_call_that_is_not_there_is_not_there(front: Front, call_sid: str) -> None:
    problem(await front.api("GET", f"/api/calls/{call_sid}"), 404)
    problem(await front.api("DELETE", f"/api/calls/{call_sid}"), 404)
    problem(await front.api("POST", f"/api/calls/{call_sid}/say", json={"text": "hello"}), 404)


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        ("digits", e.DigitsRequested),
        ("say", e.SayRequested),
        ("transfer", e.TransferRequested),
        ("hangup", e.HangupRequested),
        ("notes", e.NoteAdded),
    ],
)
async def test_an_act_is_accepted_and_written(front: Front, act: str, kind: type) -> None:
    await front.hook("/twiml/voice", ring())
    answer = await front.api("POST", f"{ONE}/{act}", json=ACTS[act])
    assert answer.status_code == 202
    assert answer.json()["position"] == 2
    assert isinstance((await front.facts())[-1], kind)


async def test_a_call_that_has_ended_takes_notes_and_nothing_else(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    await front.hook("/callbacks/call", ring(CallStatus="completed"))
    for act, body in ACTS.items():
        answer = await front.api("POST", f"{ONE}/{act}", json=body)
        if act == "notes":
            assert answer.status_code == 202
        else:
            problem(answer, 409)


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("digits", {"digits": "12x"}),
        ("digits", {"digits": "W"}),
        ("digits", {"digits": ""}),
        ("digits", {"digits": 12}),
        ("digits", {"digits": "1" * 101}),
        ("digits", {}),
        ("say", {"text": ""}),
        ("say", {"text": "   "}),
        ("say", {"text": None}),
        ("say", {"text": "x" * 1_001}),
        ("transfer", {"to": "my colleague"}),
        ("transfer", {"to": "+1"}),
        ("transfer", {"to": "sip:<evil>"}),
        ("notes", {"text": "x" * 10_001}),
        ("notes", {"words": "x"}),
    ],
)
async def test_what_makes_no_sense_is_not_acceptable(
    front: Front, act: str, body: dict[str, Any]
) -> None:
    await front.hook("/twiml/voice", ring())
    told = problem(await front.api("POST", f"{ONE}/{act}", json=body), 422)
    assert told["detail"]
    assert len(await front.facts()) == 1


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'"text"', 400),
        (b"\xff\xfe\xfd", 400),
        (b"[" * 60_000, 400),
        (b'{"text": ' + b"9" * 10_000 + b"}", 400),
        (b'{"text": "\\ud800"}', 422),
        (b'{"text": "' + b"x" * module.BODY_BYTES_MAX + b'"}', 413),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(
    front: Front, content: bytes, status: int
) -> None:
    await front.hook("/twiml/voice", ring())
    problem(await front.api("POST", f"{ONE}/say", content=content), status)
    assert len(await front.facts()) == 1


async def test_events_after_a_position_are_shown(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    await front.write(e.NoteAdded(text="one"), e.DigitPressed(digit="5"))
    whole = (await front.api("GET", f"{ONE}/events")).json()
    assert [event["position"] for event in whole["events"]] == [1, 2, 3]
    assert [event["kind"] for event in whole["events"]] == [
        "call_opened",
        "note_added",
        "digit_pressed",
    ]
    assert whole["events"][2]["digit"] == "5"
    assert {"position", "epoch", "at", "kind"} <= set(whole["events"][0])
    rest = (await front.api("GET", f"{ONE}/events?after=2")).json()
    assert [event["position"] for event in rest["events"]] == [3]
    assert rest["position"] == 3
    assert (await front.api("GET", f"{ONE}/events?after=99")).json()["events"] == []
    for after in ("-1", "x", "", "1.5", "\u0661", "9" * 20):
        problem(await front.api("GET", f"{ONE}/events?after={after}"), 400)


async def test_erasing_ends_the_call_and_leaves_nothing(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    assert (await front.api("DELETE", ONE)).status_code == 204
    assert front.carrier.asked == [("hang_up", CALL)]
    assert await front.journal.open_calls() == ()
    problem(await front.api("GET", ONE), 404)
    problem(await front.api("DELETE", ONE), 404)


async def test_a_call_that_can_not_be_ended_is_not_erased(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    front.carrier.trouble = CarrierBusy("still busy")
    problem(await front.api("DELETE", ONE), 502)
    assert len(await front.facts()) == 1


async def test_an_ended_call_is_erased_without_asking_the_carrier(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    await front.hook("/callbacks/call", ring(CallStatus="completed"))
    assert (await front.api("DELETE", ONE)).status_code == 204
    assert front.carrier.asked == []


async def test_records_of_a_newer_version_are_shown_as_they_are(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    for number, body in enumerate((b'{"kind":"dreamt","of":"sheep"}', b"null", b"[1]")):
        await front.journal.append(
            CALL,
            (body,),
            epoch=None,
            after=None,
            key=f"new{number}",
            now_ms=front.parts.clock.now_ms(),
        )
    shown = (await front.api("GET", f"{ONE}/events?after=1")).json()["events"]
    assert shown[0]["kind"] == "dreamt"
    assert shown[0]["of"] == "sheep"
    assert (await front.api("GET", ONE)).json()["position"] == 4


async def test_without_a_store_the_api_says_try_again(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_given: Any, **_named: Any) -> None:
        raise StoreUnavailable("/secret/path is gone")

    monkeypatch.setattr(front.journal, "read", fail)
    answer = await front.api("GET", ONE)
    assert "secret" not in json.dumps(problem(answer, 503))
    assert answer.headers["retry-after"] == "1"


async def a_question(front: Front, *facts: e.Known, approval_ms: int | None = None) -> None:
    """A call whose agent wants to call somebody back, which a person has to allow."""
    await front.hook("/twiml/voice", ring())
    soon_ms = front.parts.clock.now_ms() + 60_000
    asked = e.OperationRequested(
        operation="t1.1",
        tool="call_back",
        arguments={"number": "+15550001"},
        turn=1,
        is_idempotent=False,
        attempts_max=1,
        deadline_ms=soon_ms + 5_000,
        approval_ms=soon_ms if approval_ms is None else approval_ms,
    )
    await front.write(asked, *facts)


async def decisions(front: Front) -> list[e.AnyFact]:
    kinds = (e.OperationApproved, e.OperationDenied)
    return [fact for fact in await front.facts() if isinstance(fact, kinds)]


@pytest.mark.parametrize(
    ("approve", "fact"), [(True, e.OperationApproved), (False, e.OperationDenied)]
)
async def test_a_person_decides_once_however_often_they_click(
    front: Front, fact: type[e.Fact], *, approve: bool
) -> None:
    await a_question(front)
    body = {"approve": approve, "by": "Grace"}
    answers = [
        *await asyncio.gather(*(front.api("POST", OPERATION, json=body) for _ in range(3))),
        await front.api("POST", OPERATION, json=body, bearer="act"),
    ]
    assert [answer.status_code for answer in answers] == [202] * 4
    assert {answer.json()["position"] for answer in answers} == {3}
    (decided,) = await decisions(front)
    assert isinstance(decided, fact)
    shown = (await front.api("GET", ONE)).json()["operations"][0]
    assert (shown["status"], shown["approval"]) == (
        ("pending", "granted") if approve else ("failed", "asked")
    )
    problem(await front.api("POST", OPERATION, json={"approve": not approve}), 409)
    assert len(await decisions(front)) == 1


async def test_of_two_who_decide_differently_at_once_one_is_told_so(front: Front) -> None:
    await a_question(front)
    answers = await asyncio.gather(
        *(front.api("POST", OPERATION, json={"approve": one}) for one in (True, False))
    )
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    assert len(await decisions(front)) == 1


@pytest.mark.parametrize(
    ("approval_ms", "facts"),
    [
        (0, ()),
        (1, ()),
        (None, (e.OperationEnded(operation="t1.1", status="timed_out"),)),
    ],
)
async def test_what_waits_for_nobody_can_not_be_decided(
    front: Front, approval_ms: int | None, facts: tuple[e.Known, ...]
) -> None:
    await a_question(front, *facts, approval_ms=approval_ms)
    for approve in (True, False):
        problem(await front.api("POST", OPERATION, json={"approve": approve}), 409)
    assert await decisions(front) == []


async def test_a_decision_that_came_too_late_is_told_so_each_time(front: Front) -> None:
    ended = e.OperationEnded(operation="t1.1", status="timed_out")
    await a_question(front, ended, e.OperationApproved(operation="t1.1"))
    problem(await front.api("POST", OPERATION, json={"approve": True}), 409)


async def test_a_call_that_has_ended_may_still_have_a_tool_to_decide_on(front: Front) -> None:
    await a_question(front, e.CallEnded(reason="completed"))
    answer = await front.api("POST", OPERATION, json={"approve": True})
    assert answer.status_code == 202


@pytest.mark.parametrize("name", ["t1.2", "T1.1", "%00", "{t1.1}", "t1.1%2Fx", "x" * 3_000])
async def test_an_operation_that_is_not_there_is_not_there(front: Front, name: str) -> None:
    await a_question(front)
    answer = await front.api("POST", f"{ONE}/operations/{name}", json={"approve": True})
    problem(answer, 404)


@pytest.mark.parametrize(
    "body",
    [
        {}, {"approve": 1}, {"approve": "true"}, {"approve": None}, {"approve": True, "by": 5},
        {"approve": True, "by": ""}, {"approve": True, "by": "x" * 201},
    ],
)  # fmt: skip
async def test_a_decision_that_says_nothing_clear_is_not_acceptable(
    front: Front, body: dict[str, Any]
) -> None:
    await a_question(front)
    problem(await front.api("POST", OPERATION, json=body), 422)
    assert await decisions(front) == []


async def test_operations_are_asked_for_by_the_agent_alone(front: Front) -> None:
    await a_question(front)
    answer = await front.api("POST", f"{ONE}/operations", json={"tool": "call_back"})
    problem(answer, 404)
    problem(await front.api("POST", OPERATION, json={"approve": True}, bearer="see"), 403)


async def over(front: Front, **changes: str) -> None:
    await front.hook("/twiml/voice", ring(**changes))
    await front.write(e.CallEnded(reason="completed"), key="over")


async def test_a_caller_whose_call_is_over_is_rung_back(front: Front) -> None:
    await over(front)
    answer = await front.api("POST", f"/api/calls/{CALL}/callback", bearer="act")
    assert answer.status_code == 202
    assert isinstance((await front.facts())[-1], e.CallbackRequested)
    again = await front.api("POST", f"/api/calls/{CALL}/callback", bearer="act")
    assert (again.status_code, again.headers["content-type"]) == (409, "application/problem+json")
    shown = (await front.api("GET", f"/api/calls/{CALL}")).json()
    assert shown["callback"]["step"] == "requested"


async def test_some_callers_are_not_rung_back(front: Front) -> None:
    path = f"/api/calls/{CALL}/callback"
    assert (await front.api("POST", path)).status_code == 404
    await front.hook("/twiml/voice", ring())
    assert (await front.api("POST", path)).status_code == 409
    assert (await front.api("POST", path, bearer="see")).status_code == 403
    await front.write(e.CallEnded(reason="completed"), key="over")
    await front.write(e.CarriedOn(call_sid="CA2"), key="on")
    assert (await front.api("POST", path)).status_code == 409


async def test_a_withheld_number_is_not_rung_back(front: Front) -> None:
    await over(front, From="anonymous")
    answer = await front.api("POST", f"/api/calls/{CALL}/callback")
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "The caller's number can't be rung.",
    )
