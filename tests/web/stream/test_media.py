import asyncio
import base64
import json
import threading

import pytest
from websockets.exceptions import InvalidStatus

from service.call import events as e
from service.journal.values import Spent
from service.session.arrival import Arrival
from service.session.sound import forks
from service.switchboard import admission
from service.trust.token import LIFE_MS, REDIALS_MAX, SKEW_MS
from service.web.stream import media as module, strangers
from tests.conftest import for_a_moment, wait_until
from tests.web.front import CALL, Front, ring, stream

pytestmark = pytest.mark.asyncio

OTHER = "CA00000000000000000000000000000002"
SILENCE = base64.b64encode(b"\xff" * 160).decode()


async def nothing_stored(front: Front) -> None:
    assert await front.journal.open_calls() == ()
    assert len(front.parts.switchboard) == 0


def issued(front: Front, call_sid: str = CALL, *, age_ms: int = 0, door: str = "voice") -> str:
    now_ms, nonce = front.parts.clock.now_ms() - age_ms, "n" * 16
    return front.parts.mint.issue(call_sid, door=door, is_known=False, nonce=nonce, now_ms=now_ms)


async def test_a_call_is_greeted_over_a_real_socket_and_dropped_and_resumed(
    front: Front, host: str
) -> None:
    token = await front.token()
    async with stream(host) as one:
        await one.start(token)
        await one.hear("mark")
        await one.send("media", media={"track": "inbound", "chunk": "1", "payload": SILENCE})
        await one.send("dtmf", dtmf={"track": "inbound_track", "digit": "7"})
        session = front.parts.switchboard.find(CALL)
        assert session is not None
        await wait_until(lambda: session.call.digits_pending == "7", description="a key is noted")
    await wait_until(lambda: session.call.phase == "detached", description="the drop is noted")
    again = await front.token("/twiml/resume", CallStatus="in-progress")
    async with stream(host, "MZ2") as two:
        await two.start(again)
        await wait_until(lambda: session.call.phase == "live", description="it is resumed")
        assert [one.cause for one in session.call.streams] == ["new", "drop"]
        assert session.call.digits_pending == "7"
    kinds = [type(fact).__name__ for fact in await front.facts()]
    assert kinds.count("Greeted") == 1


async def test_an_upgrade_without_a_signature_is_refused(front: Front, host: str) -> None:
    for signed in ("", "bm9uc2Vuc2U=", "x" * 4_000):
        with pytest.raises(InvalidStatus) as refusal:
            async with stream(host, signed=signed):
                pass
        assert refusal.value.response.status_code == 403
    await nothing_stored(front)


@pytest.mark.parametrize("changes", [{"lookalike_carriers": True}])
async def test_a_lookalike_carrier_is_admitted_by_its_token_alone(front: Front, host: str) -> None:
    token = await front.token()
    async with stream(host, signed="") as one:
        await one.start(token, accountSid="")
        await one.hear("media")
    with pytest.raises(InvalidStatus):
        async with stream(host, signed="d3Jvbmc="):
            pass


async def test_a_socket_that_says_nothing_is_closed(
    front: Front, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "START_MS_MAX", 50)
    async with stream(host) as one:
        code, reason = await one.closed()
    assert (code, reason) == (1008, "no start within 50 ms")
    await nothing_stored(front)


@pytest.mark.parametrize(
    "message",
    [
        "nonsense",
        "{}",
        "[]",
        '{"event":"media","media":{"payload":"' + SILENCE + '"}}',
        '{"event":"start","start":{"callSid":"","streamSid":"MZ1"}}',
        '{"event":"start","start":{"callSid":"CA{x}","streamSid":"MZ1"}}',
        '{"event":"start","start":7}',
        '{"event":"' + "x" * 10_000 + '"}',
        "[" * 5_000,
    ],
    ids=lambda message: message[:24],
)
async def test_garbage_before_the_start_is_not_listened_to_for_long(
    front: Front, host: str, message: str
) -> None:
    async with stream(host) as one:
        for _ in range(module.MESSAGES_BEFORE_START_MAX):
            await one.socket.send(message)
        code, reason = await one.closed()
    assert (code, reason) == (1008, "no start among the first messages")
    await nothing_stored(front)


async def test_a_frame_too_large_is_closed_with_1009(front: Front, host: str) -> None:
    async with stream(host) as one:
        await one.socket.send("x" * 70_000)
        code, _ = await one.closed()
    assert code == 1009
    await nothing_stored(front)


async def test_a_stream_without_a_sound_token_is_refused(front: Front, host: str) -> None:
    sound = issued(front)
    tokens = {
        "": "the stream brought no token",
        "nonsense": "the token is malformed",
        "x" * 300: "the token is malformed",
        sound[:-1] + ("A" if sound[-1] != "A" else "B"): "the token does not belong to this call",
        issued(front, OTHER): "the token does not belong to this call",
        issued(front, age_ms=LIFE_MS + SKEW_MS + 2_000): "the token has expired",
        issued(front, age_ms=-10 * LIFE_MS): "the token is from the future",
        sound.replace("1.", "1.0", 1): "the token was signed with a key that is not in use",
    }
    for token, why in tokens.items():
        async with stream(host) as one:
            await one.start(token)
            assert await one.closed() == (1008, why)
    await nothing_stored(front)


async def test_a_stream_of_another_account_is_refused(front: Front, host: str) -> None:
    async with stream(host) as one:
        await one.start(issued(front), accountSid="AC" + "9" * 32)
        assert await one.closed() == (1008, "the stream belongs to another account")
    await nothing_stored(front)


async def test_a_token_is_used_once(front: Front, host: str) -> None:
    token = await front.token()
    async with stream(host, "MZ1") as one, stream(host, "MZ2") as two:
        await one.start(token)
        await one.hear("media")
        await two.start(token)
        code, reason = await two.closed()
        assert code == 1008
        assert reason.startswith("the token was used")
        assert one.socket.close_code is None
    attached = [fact for fact in await front.facts() if isinstance(fact, e.StreamAttached)]
    assert len(attached) == 1


async def test_fifty_streams_with_one_token_at_once_leave_one(front: Front, host: str) -> None:
    token = await front.token()

    async def attempt(number: int) -> int:
        async with stream(host, f"MZ{number}") as one:
            await one.start(token)
            try:
                async with asyncio.timeout(2):
                    return (await one.closed())[0]
            except TimeoutError:
                return 0

    codes = await asyncio.gather(*(attempt(number) for number in range(50)))
    assert codes.count(0) == 1
    assert codes.count(1008) == 49


@pytest.mark.parametrize("changes", [{"drop_limit": "100/60"}])
async def test_the_same_stream_may_dial_again_a_few_times(front: Front, host: str) -> None:
    token = await front.token()
    for number in range(1, 2 + REDIALS_MAX):
        async with stream(host) as one:
            await one.start(token)
            await attached(front, number)
    async with stream(host) as one:
        await one.start(token)
        code, reason = await one.closed()
        assert code == 1008
        assert reason.startswith("the token was used")
    session = front.parts.switchboard.find(CALL)
    assert session is not None
    assert [entry.epoch for entry in session.call.streams] == list(range(1, 2 + REDIALS_MAX))
    assert {entry.stream_sid for entry in session.call.streams} == {"MZ1"}


async def attached(front: Front, count: int) -> None:
    """Wait until so many streams have come."""

    async def have_come() -> bool:
        facts = await front.facts()
        return sum(isinstance(fact, e.StreamAttached) for fact in facts) == count

    await wait_until(have_come, description=f"stream {count} is attached")


async def test_the_same_stream_twice_at_once_is_a_take_over(front: Front, host: str) -> None:
    token = await front.token()
    async with stream(host) as one, stream(host) as two:
        await one.start(token)
        await one.hear("media")
        await two.start(token)
        code, _ = await one.closed()
        assert code == 4409
        session = front.parts.switchboard.find(CALL)
        assert session is not None
        await wait_until(lambda: session.call.phase == "live", description="the second has it")
        await two.send("dtmf", dtmf={"digit": "3"})
        await wait_until(lambda: session.call.digits_pending == "3", description="a key is noted")


async def test_nonsense_in_the_middle_of_a_call_ends_nothing(front: Front, host: str) -> None:
    token = await front.token()
    bad: list[str | bytes] = [
        b"\x00\x01binary",
        b"",
        "",
        "nonsense",
        "null",
        "7",
        '"media"',
        "{}",
        '{"event":"unknown-event","streamSid":"MZ1"}',
        '{"event":"media","streamSid":"MZ1"}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"!!!"}}',
        '{"event":"media","streamSid":"MZ9","media":{"payload":"' + SILENCE + '"}}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"'
        + base64.b64encode(b"\xff" * 9_000).decode()
        + '"}}',
        '{"event":"dtmf","streamSid":"MZ1","dtmf":{"digit":"12"}}',
        '{"event":"mark","streamSid":"MZ1","mark":{}}',
        '{"event":"start","start":{"callSid":"CA9","streamSid":"MZ9"}}',
        "[" * 20_000,
    ]
    async with stream(host) as one:
        await one.start(token)
        await one.hear("mark")
        for message in bad:
            await one.socket.send(message)
        await one.send("dtmf", dtmf={"digit": "5"})
        session = front.parts.switchboard.find(CALL)
        assert session is not None
        await wait_until(lambda: session.call.digits_pending == "5", description="a key is noted")
        assert session.call.phase == "live"
    assert b"stayline_messages_dropped_total 17.0" in front.parts.meter.text()


async def test_media_that_comes_before_the_start_is_passed_over(front: Front, host: str) -> None:
    token = await front.token()
    async with stream(host) as one:
        await one.send("media", media={"payload": SILENCE})
        await one.start(token)
        await one.hear("media")


async def test_a_stop_ends_the_stream_and_not_the_call(front: Front, host: str) -> None:
    token = await front.token()
    async with stream(host) as one:
        await one.start(token)
        await one.hear("media")
        session = front.parts.switchboard.find(CALL)
        assert session is not None
        await one.send("stop", stop={"accountSid": "", "callSid": CALL})
        assert (await one.closed())[0] == 1000
    await wait_until(lambda: session.call.phase == "detached", description="the stop is noted")
    assert session.call.streams[0].reason == "stop"


async def test_an_error_told_by_the_carrier_is_a_drop(front: Front, host: str) -> None:
    token = await front.token()
    async with stream(host) as one:
        await one.start(token)
        await one.hear("media")
        session = front.parts.switchboard.find(CALL)
        assert session is not None
        told = {"CallSid": CALL, "StreamEvent": "stream-error", "StreamErrorCode": "31924"}
        await front.hook("/callbacks/stream", {**told, "StreamSid": "MZ9"})
        await front.hook("/callbacks/stream", {**told, "StreamSid": "MZ1"})
        assert (await one.closed())[0] == 1000
    await wait_until(lambda: session.call.phase == "detached", description="the drop is noted")
    assert session.call.streams[0].reason == "error"


@pytest.mark.parametrize(("age_ms", "is_fresh"), [(0, True), (1_500, False), (-4_500, False)])
async def test_only_a_token_just_issued_may_be_a_new_calls(
    front: Front, host: str, monkeypatch: pytest.MonkeyPatch, age_ms: int, *, is_fresh: bool
) -> None:
    """Seeds 2737 and 101110: later, another server may have had the call already. What we wait for is no age."""
    fresh: list[bool] = []

    async def spent_late(*_asked: object, **_named: object) -> Spent:
        front.parts.clock._offset_ns += 2_000 * 1_000_000
        return Spent(1)

    async def noted(_call_sid: str, arrival: Arrival) -> None:
        fresh.append(arrival.is_fresh)

    monkeypatch.setattr(front.parts.switchboard, "attach", noted)
    monkeypatch.setattr(front.parts.journal, "spend", spent_late)
    async with stream(host) as one:
        await one.start(issued(front, age_ms=age_ms))
        assert (await one.closed())[0] == 1000
    assert fresh == [is_fresh]


async def test_a_call_that_is_over_takes_no_stream(front: Front, host: str) -> None:
    token = await front.token()
    await front.hook("/callbacks/call", ring(CallStatus="completed"))
    async with stream(host) as one:
        await one.start(token)
        code, _ = await one.closed()
    assert code == 1000


@pytest.mark.parametrize(
    ("changes", "limit", "signed"),
    [({}, "SIGNED_MAX", None), ({"lookalike_carriers": True}, "UNPROVED_MAX", "")],
)
async def test_sockets_that_prove_nothing_are_bounded(
    front: Front, host: str, monkeypatch: pytest.MonkeyPatch, limit: str, signed: str | None
) -> None:
    monkeypatch.setattr(strangers, limit, 2)
    token = await front.token()
    async with stream(host, signed=signed) as one, stream(host, signed=signed):
        with pytest.raises(InvalidStatus):
            async with stream(host, signed=signed):
                pass
        await one.start(token)
        await one.hear("media")
        async with stream(host, "MZ3", signed=signed):
            pass


async def test_a_stream_that_finds_no_place_in_time_keeps_its_way_back(
    front: Front, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O-1: its token is not spent, and the carrier asks again."""
    monkeypatch.setattr(admission, "AT_ONCE_MAX", 0)
    monkeypatch.setattr(admission, "WAIT_MS_MAX", 20)
    token = await front.token()
    async with stream(host) as one:
        await one.start(token)
        assert await one.closed() == (1013, "too many streams at once")
    monkeypatch.setattr(admission, "AT_ONCE_MAX", 1)
    async with stream(host) as two:
        await two.start(token)
        await two.hear("media")


@pytest.mark.parametrize("path", ["/media/", "/media?x=1", "/Media"])
async def test_another_path_is_no_door(front: Front, host: str, path: str) -> None:
    with pytest.raises(InvalidStatus):
        async with stream(host, path=path):
            pass
    await nothing_stored(front)


async def test_a_parameter_that_came_back_changed_is_recorded_and_ignored(
    front: Front, host: str
) -> None:
    await front.hook("/twiml/voice", ring())
    await front.write(e.NoteAdded(text="the server's copy has no name"))
    token = await front.token()
    async with stream(host) as one:
        await one.start(token, customParameters={"client_name": "Mallory", "token": token})
        await one.hear("media")
    text = json.dumps([type(fact).__name__ for fact in await front.facts()])
    assert "token" not in text
    session = front.parts.switchboard.find(CALL)
    assert session is not None
    assert session.call.parameters.get("client_name", "") == ""
    assert all(token.encode() not in e.encode(fact) for fact in await front.facts())


@pytest.mark.parametrize("changes", [{"media_idle_s": 1}])
async def test_a_stream_of_which_nothing_comes_any_more_is_given_up(
    front: Front, host: str
) -> None:
    """O-3: the call is not; the carrier is asked to come back."""
    token = await front.token()
    async with stream(host) as one:
        await one.start(token)
        for _ in range(3):
            await for_a_moment(0.4)
            await one.send("media", media={"track": "inbound", "chunk": "1", "payload": SILENCE})
        session = front.parts.switchboard.find(CALL)
        assert session is not None
        assert session.call.phase == "live", "it is counted from the last message"
        await wait_until(lambda: session.call.phase == "detached", description="it is given up")
        assert session.call.streams[-1].reason == "idle"
        assert (await one.closed())[0] == 1000


@pytest.mark.parametrize("changes", [{"media_idle_s": 1}])
async def test_a_server_that_stood_still_itself_gives_nobody_up(front: Front, host: str) -> None:
    """What came meanwhile lies unread; every call would be dropped for a stall of ours."""
    token = await front.token()
    async with stream(host) as one:
        await one.start(token)
        await one.hear("media")
        threading.Event().wait(1.5)  # the loop stands still
        await one.send("dtmf", dtmf={"track": "inbound_track", "digit": "7"})
        session = front.parts.switchboard.find(CALL)
        assert session is not None
        await wait_until(lambda: session.call.digits_pending == "7", description="a key is noted")
        assert [entry.reason for entry in session.call.streams] == [""]


@pytest.mark.parametrize("changes", [{"media_idle_s": 0}])
async def test_no_silence_is_too_long_where_none_is_set(front: Front, host: str) -> None:
    token = await front.token()
    async with stream(host) as one:
        await one.start(token)
        await for_a_moment(0.5)
        await one.send("dtmf", dtmf={"track": "inbound_track", "digit": "7"})
        session = front.parts.switchboard.find(CALL)
        assert session is not None
        await wait_until(lambda: session.call.digits_pending == "7", description="a key is noted")


async def test_a_server_that_goes_down_takes_no_stream_and_leaves_its_token_unspent(
    front: Front, host: str
) -> None:
    """Requirement O-9: the same token still opens the door of the next server."""
    token = await front.token()
    front.parts.switchboard.is_draining = True
    async with stream(host) as one:
        await one.start(token)
        assert await one.closed() == (1013, "this server is going down")
    assert len(front.parts.switchboard) == 0
    front.parts.switchboard.is_draining = False
    async with stream(host) as two:
        await two.start(token)
        await two.hear("media")


def listening(token: str) -> dict[str, str]:
    return {"ear": "ear-1", "token": token}


async def test_a_stream_that_only_listens_is_let_in_and_claims_nothing(
    front: Front, host: str
) -> None:
    await front.token()
    async with stream(host, "MZear") as ear:
        await ear.start("", customParameters=listening(issued(front, door="ear")))
        media = {"track": "inbound", "chunk": "1", "timestamp": "0", "payload": SILENCE}
        await ear.send("media", media=media)
        await wait_until(lambda: len(front.parts.means.forks) == 1, description="it listens")
        assert len(front.parts.switchboard) == 0
        await ear.send("stop", stop={"callSid": CALL})
        assert (await ear.closed())[0] == 1000
        assert ear.heard == []
    await wait_until(lambda: len(front.parts.means.forks) == 0, description="it is gone")
    assert [type(fact).__name__ for fact in await front.facts()] == ["CallOpened"]


@pytest.mark.parametrize(
    ("door", "parameters"), [("ear", {}), ("voice", {"ear": "ear-1"})], ids=["ear", "main"]
)
async def test_a_token_is_good_for_its_own_kind_of_stream_alone(
    front: Front, host: str, door: str, parameters: dict[str, str]
) -> None:
    await front.token()
    token = issued(front, door=door)
    async with stream(host) as one:
        await one.start("", customParameters={**parameters, "token": token})
        assert await one.closed() == (1008, "the token is another kind of stream's")
    assert len(front.parts.means.forks) == len(front.parts.switchboard) == 0


async def test_an_ears_token_is_used_once(front: Front, host: str) -> None:
    await front.token()
    token = issued(front, door="ear")
    async with stream(host, "MZ1") as one, stream(host, "MZ2") as two:
        await one.start("", customParameters=listening(token))
        await wait_until(lambda: len(front.parts.means.forks) == 1, description="it listens")
        await two.start("", customParameters=listening(token))
        assert (await two.closed())[0] == 1008


async def test_one_ear_too_many_is_told_to_try_again(
    front: Front, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forks, "FORKS_MAX", 0)
    await front.token()
    async with stream(host) as one:
        await one.start("", customParameters=listening(issued(front, door="ear")))
        assert await one.closed() == (1013, "too many streams listen")
