import asyncio
import json
from typing import Any

import pytest

from service.call import events as e
from service.call.seat import UNSEEN_MS_MAX
from tests.conftest import wait_until
from tests.web.front import CALL, Front, ring, stream

pytestmark = pytest.mark.asyncio

ONE = f"/api/calls/{CALL}"
ANA = {"by": "Ana", "seat": "seat-a"}
BOB = {"by": "Bob", "seat": "seat-b"}


async def post(front: Front, act: str, body: dict[str, Any], *, bearer: str = "act") -> Any:
    return await front.api("POST", f"{ONE}/{act}", bearer=bearer, json=body)


async def shown(front: Front) -> Any:
    return (await front.api("GET", ONE)).json()["taken_over"]


def refused(answer: Any, status: int, detail: str) -> None:
    assert answer.status_code == status, answer.text
    assert detail in answer.json()["detail"]


async def test_one_takes_over_and_hands_back_and_all_are_shown_who(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    assert await shown(front) is None
    answer = await post(front, "takeover", ANA)
    assert answer.status_code == 202
    assert set(answer.json()) == {"request", "position"}
    held = await shown(front)
    assert set(held) == {"by", "named", "seat", "since"}
    assert not held["named"], "it is what they typed"
    assert (held["by"], held["seat"]) == ("Ana", "seat-a")
    assert (await post(front, "takeover", ANA)).status_code == 202
    assert (await shown(front))["since"] == held["since"]
    refused(await post(front, "handback", {"seat": "seat-b"}), 409, "Ana has taken")
    assert (await post(front, "handback", {"seat": "seat-a"})).status_code == 202
    asked = [fact for fact in await front.facts() if isinstance(fact, e.HandbackRequested)]
    assert [(fact.by, fact.seat) for fact in asked] == [("Ana", "seat-a")]


async def test_who_came_with_a_token_of_their_own_is_called_as_it_says(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    mallory = {"by": "Somebody else", "seat": "seat-a"}
    assert (await post(front, "takeover", mallory, bearer="adas")).status_code == 202
    held = await shown(front)
    assert (held["by"], held["named"]) == ("Ada Byron", True)
    taken = {"seat": "seat-b", "from_seat": "seat-a"}
    refused(await post(front, "takeover", taken), 422, "by is missing")
    assert (await post(front, "takeover", taken, bearer="adas")).status_code == 202


async def test_a_place_that_is_held_is_taken_only_from_whom_one_sees(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    await post(front, "takeover", ANA)
    refused(await post(front, "takeover", BOB), 409, "Ana has taken the call over.")
    refused(await post(front, "takeover", {**BOB, "from_seat": "seat-c"}), 409, "Ana")
    assert len(await front.facts()) == 2
    assert (await post(front, "takeover", {**BOB, "from_seat": "seat-a"})).status_code == 202
    assert (await shown(front))["by"] == "Bob"
    refused(await post(front, "takeover", ANA), 409, "Bob")


async def test_of_many_at_once_one_is_first_and_the_others_are_told(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    many = [{"by": f"P{number}", "seat": f"s{number}", "from_seat": None} for number in range(9)]
    answers = await asyncio.gather(*(post(front, "takeover", one) for one in many))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 8
    holder = (await shown(front))["by"]
    first = next(n for n, answer in enumerate(answers) if answer.status_code == 202)
    assert holder == f"P{first}"
    for answer in answers:
        if answer.status_code == 409:
            refused(answer, 409, f"{holder} has taken")


async def test_only_the_seat_speaks_and_sends_digits(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    await post(front, "takeover", ANA)
    for act, body in (("say", {"text": "Hi."}), ("digits", {"digits": "1"})):
        refused(await post(front, act, body), 409, "Ana has taken the call over.")
        refused(await post(front, act, {**body, "seat": "seat-b"}), 409, "Ana")
        assert (await post(front, act, {**body, "seat": "seat-a"})).status_code == 202
    kinds = [type(fact).__name__ for fact in await front.facts()]
    assert kinds == ["CallOpened", "TakeoverRequested", "SayRequested", "DigitsRequested"]


async def test_a_line_that_comes_too_late_is_told_so(front: Front) -> None:
    """Between the look and the write somebody else has taken the place."""
    await front.hook("/twiml/voice", ring())
    await post(front, "takeover", ANA)
    read = front.journal.read
    looks = 0

    async def read_and_lose(call_sid: str, *, after: int = 0) -> Any:
        nonlocal looks
        reading = await read(call_sid, after=after)
        looks += 1
        if looks == 1:
            taken = e.TakeoverRequested(request="t", by="Bob", seat="b", from_seat="seat-a")
            await front.write(taken, key="bob")
        return reading

    with pytest.MonkeyPatch.context() as places:
        places.setattr(front.journal, "read", read_and_lose)
        refused(await post(front, "say", {"text": "Hi.", "seat": "seat-a"}), 409, "Bob has taken")


async def test_who_is_gone_for_a_minute_keeps_nobody_out(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    long_ago = front.parts.clock.now_ms() - UNSEEN_MS_MAX - 1
    body = e.encode(e.TakeoverRequested(request="t", by="Ana", seat="seat-a"))
    await front.journal.append(CALL, [body], epoch=None, after=None, key="a", now_ms=long_ago)
    assert (await post(front, "takeover", BOB)).status_code == 202


async def test_handing_back_what_nobody_has_is_a_conflict(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    refused(await post(front, "handback", {"seat": "seat-a"}), 409, "Nobody has taken")


async def test_a_call_that_ends_is_taken_over_by_nobody(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    await front.write(e.EndingPlanned(ending="hangup"))
    refused(await post(front, "takeover", ANA), 409, "about to end")
    await front.write(e.CallEnded(reason="completed"), key="end")
    refused(await post(front, "takeover", ANA), 409, "has ended")


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("takeover", {"by": "Ana"}),
        ("takeover", {"by": "", "seat": "a"}),
        ("takeover", {"by": "x" * 201, "seat": "a"}),
        ("takeover", {"by": "Ana", "seat": "a b"}),
        ("takeover", {"by": "Ana", "seat": "x" * 65}),
        ("takeover", {"by": "Ana", "seat": 1}),
        ("takeover", {"by": "Ana", "seat": "a", "from_seat": 1}),
        ("handback", {}),
        ("say", {"text": "Hi.", "seat": ""}),
        ("digits", {"digits": "1", "seat": ["a"]}),
    ],
)
async def test_what_makes_no_sense_is_refused(front: Front, act: str, body: Any) -> None:
    await front.hook("/twiml/voice", ring())
    assert (await post(front, act, body)).status_code == 422, json.dumps(body)
    assert len(await front.facts()) == 1


@pytest.mark.parametrize("act", ["takeover", "handback"])
async def test_who_may_only_look_takes_nothing_over(front: Front, act: str) -> None:
    await front.hook("/twiml/voice", ring())
    assert (await post(front, act, ANA, bearer="see")).status_code == 403
    assert (await post(front, act, ANA, bearer="other")).status_code == 404


async def test_on_a_live_call_the_caller_hears_the_person_and_the_agent_no_more(
    front: Front, host: str
) -> None:
    token = await front.token()
    async with stream(host) as carrier:
        await carrier.start(token)
        await carrier.hear("mark")
        assert (await post(front, "takeover", ANA)).status_code == 202
        said = await post(front, "say", {"text": "This is Ana.", "seat": "seat-a"})
        assert said.status_code == 202
        before = len(carrier.heard)
        await carrier.hear("mark")
        assert any(message["event"] == "media" for message in carrier.heard[before:])

        async def is_heard() -> bool:
            lines = (await front.api("GET", ONE)).json()["transcript"]
            return (lines[-1]["who"], lines[-1]["heard"]) == ("human", "This is Ana.")

        await wait_until(is_heard, description="the person's line was heard")
        kinds = [type(fact).__name__ for fact in await front.facts()]
        assert kinds.index("TakenOver") > kinds.index("TakeoverRequested")
