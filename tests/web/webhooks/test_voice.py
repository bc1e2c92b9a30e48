import asyncio
from typing import Any

import pytest

from service.call import events as e
from service.call.state import Call
from service.errors import StoreUnavailable
from service.journal.values import Reading
from service.session.kept.records import rebuilt
from tests.web.front import CALL, PUBLIC_URL, Front, parameters, parsed, ring

pytestmark = pytest.mark.asyncio

DOCUMENTS = ("/twiml/voice", "/twiml/resume")
TRANSFER = ["Say", "Dial", "Redirect"]
VOICEMAIL = ["Say", "Record", "Say", "Hangup"]


async def call_of(front: Front) -> Call:
    reading = await front.journal.read(CALL)
    assert isinstance(reading, Reading)
    return rebuilt(None, reading.records)


def verbs(document: str) -> list[str]:
    return [verb.tag for verb in parsed(document)]


async def test_a_new_call_is_opened_and_answered_with_both_ways_back(front: Front) -> None:
    answer = await front.hook("/twiml/voice", ring())
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    assert verbs(answer.text) == ["Connect", "Redirect"]
    assert parsed(answer.text)[0].get("action") == "https://calls.example.com/twiml/resume"
    assert set(parameters(answer.text)) == {"client_name", "company", "ticket_id", "token"}
    (opened,) = await front.facts()
    assert isinstance(opened, e.CallOpened)
    assert (opened.from_number, opened.to_number) == ("+15550001", "+15550002")


@pytest.mark.parametrize("times", [1, 2, 5])
async def test_the_same_webhook_at_once_opens_one_call(front: Front, times: int) -> None:
    answers = await asyncio.gather(*(front.hook("/twiml/voice", ring()) for _ in range(times)))
    assert {answer.status_code for answer in answers} == {200}
    assert {tuple(verbs(answer.text)) for answer in answers} == {("Connect", "Redirect")}
    assert len({parameters(answer.text)["token"] for answer in answers}) == times
    assert [type(fact).__name__ for fact in await front.facts()] == ["CallOpened"]


async def test_a_known_call_is_led_back_with_the_same_parameters_and_a_fresh_token(
    front: Front,
) -> None:
    first = await front.hook("/twiml/voice", ring())
    second = await front.hook("/twiml/resume", ring(CallStatus="in-progress"))
    assert verbs(second.text) == ["Connect", "Redirect"]
    assert parameters(first.text).pop("token") != parameters(second.text).pop("token")
    assert len(await front.facts()) == 1


async def test_an_unknown_call_that_resumes_gets_a_stream_and_no_row(front: Front) -> None:
    answer = await front.hook("/twiml/resume", ring())
    assert verbs(answer.text) == ["Connect", "Redirect"]
    assert await front.journal.open_calls() == ()


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_an_ended_call_is_hung_up(front: Front, path: str) -> None:
    await front.hook("/twiml/voice", ring())
    await front.write(e.CallEnded(reason="completed"))
    answer = await front.hook(path, ring())
    assert verbs(answer.text) == ["Hangup"]


@pytest.mark.parametrize("status", ["completed", "busy", "failed", "no-answer", "canceled"])
async def test_the_way_back_of_a_call_that_is_over_ends_it_once(front: Front, status: str) -> None:
    await front.hook("/twiml/voice", ring())
    for _ in range(3):
        answer = await front.hook("/twiml/resume", ring(CallStatus=status))
        assert verbs(answer.text) == ["Hangup"]
    assert [type(fact).__name__ for fact in await front.facts()] == ["CallOpened", "CallEnded"]


async def test_a_call_whose_stream_is_never_let_in_does_not_circle_for_ever(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    answers = [verbs((await front.hook("/twiml/resume", ring())).text) for _ in range(7)]
    assert answers[5] == ["Connect", "Redirect"]
    assert answers[6] == VOICEMAIL


async def test_too_many_drops_end_in_an_apology_and_one_record(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    for number in range(4):
        sid = f"MZ{number}"
        await front.write(
            e.StreamAttached(stream_sid=sid, cause="drop", gap_ms=0, server="x"),
            e.StreamDetached(stream_sid=sid, reason="closed 1006", last_media_ms=1),
            key=sid,
        )
    for _ in range(3):
        answer = await front.hook("/twiml/resume", ring())
        assert verbs(answer.text) == VOICEMAIL
    kinds = [type(fact).__name__ for fact in await front.facts()]
    assert kinds.count("DropLimitReached") == 1


async def test_after_too_many_drops_nobody_pulls_the_caller_back(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    for _ in range(8):
        await front.hook("/twiml/resume", ring())
    call = await call_of(front)
    assert (call.phase, call.end_reason) == ("ended", "drop_limit")


@pytest.mark.parametrize("changes", [{"transfer_to": "+15550100", "drop_limit": "1/60"}])
async def test_too_many_drops_lead_to_a_human_where_one_is_configured(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    for sid in ("MZ1", "MZ2"):
        await front.write(
            e.StreamAttached(stream_sid=sid, cause="drop", gap_ms=0, server="x"),
            e.StreamDetached(stream_sid=sid, reason="closed 1006", last_media_ms=1),
            key=sid,
        )
    answer = await front.hook("/twiml/resume", ring())
    assert verbs(answer.text) == TRANSFER


@pytest.mark.parametrize("changes", [{"transfer_to": "+15550100", "drop_limit": "1/60"}])
async def test_a_last_resort_that_reaches_nobody_ends_in_a_voicemail(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    for _ in range(4):
        await front.hook("/twiml/resume", ring())
    assert verbs((await front.hook("/twiml/resume", ring())).text) == TRANSFER
    dialled = await front.hook("/twiml/dialled", ring(DialCallStatus="busy"))
    assert verbs(dialled.text) == VOICEMAIL
    assert verbs((await front.hook("/twiml/resume", ring())).text) == VOICEMAIL
    await front.hook("/twiml/voicemail", ring(RecordingUrl="https://h/RE1"))
    assert verbs((await front.hook("/twiml/resume", ring())).text) == ["Hangup"]


@pytest.mark.parametrize("sent", ["not yet", "already"])
async def test_digits_are_played_from_our_address_before_and_after_the_carrier_was_asked(
    front: Front, sent: str
) -> None:
    await front.hook("/twiml/voice", ring())
    await front.write(
        e.DigitsRequested(request="r1", digits="1w2"), e.RestartPlanned(request="r1", cause="dtmf")
    )
    if sent == "already":  # the carrier's REST answers before it fetches the document
        await front.write(e.DigitsSent(request="r1", outcome="sent"), key="sent")
    for _ in range(2):
        answer = await front.hook("/twiml/resume?play=r1", ring())
        assert verbs(answer.text) == ["Play", "Connect", "Redirect"]
        assert parsed(answer.text)[0].get("digits") == "1w2"
    assert verbs((await front.hook("/twiml/resume", ring())).text) == ["Connect", "Redirect"]


@pytest.mark.parametrize("play", ["?play=", "?play=r9", "?play=%00", "?other=1"])
async def test_nobody_asked_for_such_digits(front: Front, play: str) -> None:
    await front.hook("/twiml/voice", ring())
    answer = await front.hook(f"/twiml/resume{play}", ring())
    assert verbs(answer.text) == ["Connect", "Redirect"]


async def a_transfer(front: Front, number: str = "+15550123") -> None:
    await front.hook("/twiml/voice", ring())
    await front.write(e.EndingPlanned(ending="transfer", to_number=number), e.EndingStarted())


@pytest.mark.parametrize(
    ("number", "expected", "reason"),
    [
        ("+15550123", TRANSFER, "transferred"),
        ("my colleague", VOICEMAIL, "voicemail"),
        ("", VOICEMAIL, "voicemail"),
    ],
)
async def test_a_transfer_under_way_is_answered_with_its_document_and_ends_our_part(
    front: Front, number: str, expected: list[str], reason: str
) -> None:
    await a_transfer(front, number)
    for _ in range(2):
        answer = await front.hook("/twiml/resume", ring())
        assert answer.status_code == 200
        assert verbs(answer.text) == expected
    call = await call_of(front)
    assert (call.phase, call.end_reason) == ("ended", reason)


@pytest.mark.parametrize("changes", [{"transfer_to": "+15550100"}])
async def test_a_transfer_to_nobody_in_particular_dials_the_number_of_the_settings(
    front: Front,
) -> None:
    await a_transfer(front, "")
    assert "+15550100" in (await front.hook("/twiml/resume", ring())).text


@pytest.mark.parametrize(
    ("status", "expected"), [("completed", ["Hangup"]), ("no-answer", VOICEMAIL)]
)
async def test_the_way_back_after_a_dial_goes_on_where_the_dial_left_it(
    front: Front, status: str, expected: list[str]
) -> None:
    await a_transfer(front)
    await front.hook("/twiml/dialled", ring(DialCallStatus=status))
    assert verbs((await front.hook("/twiml/resume", ring())).text) == expected


@pytest.mark.parametrize(("status", "expected"), [("completed", ["Hangup"]), ("busy", VOICEMAIL)])
async def test_a_dial_that_a_server_of_before_began_ends_at_the_way_back(
    front: Front, status: str, expected: list[str]
) -> None:
    await a_transfer(front)
    answer = await front.hook("/twiml/resume", ring(DialCallStatus=status))
    assert verbs(answer.text) == expected
    assert isinstance((await front.facts())[-1], e.DialEnded)


async def test_the_fallback_says_a_word_and_leads_back(front: Front) -> None:
    answer = await front.hook(
        "/twiml/fallback", ring(ErrorCode="11200", ErrorUrl="https://calls.example.com/twiml/voice")
    )
    assert verbs(answer.text) == ["Say", "Redirect"]
    assert "/twiml/voice?tries=1#" in answer.text
    assert await front.journal.open_calls() == ()


async def test_the_fallback_of_a_call_under_way_leads_to_its_resumption(front: Front) -> None:
    failed = "https://calls.example.com/twiml/resume?play=r1"
    answer = await front.hook("/twiml/fallback", ring(ErrorCode="11200", ErrorUrl=failed))
    assert "/twiml/resume?play=r1&amp;tries=1#" in answer.text


@pytest.mark.parametrize("name", ["dialled", "voicemail"])
async def test_the_fallback_after_a_dial_does_not_dial_again(front: Front, name: str) -> None:
    failed = f"https://calls.example.com/twiml/{name}"
    answer = await front.hook("/twiml/fallback", ring(ErrorCode="11200", ErrorUrl=failed))
    assert f"/twiml/{name}?tries=1#" in answer.text


@pytest.mark.parametrize("failed", ["", "x", "https://evil.example.com/twiml/../x", "/twiml/a b"])
async def test_a_strange_address_of_a_failure_leads_to_our_own_way_back(
    front: Front, failed: str
) -> None:
    answer = await front.hook("/twiml/fallback", ring(ErrorUrl=failed))
    assert "https://calls.example.com/twiml/resume?tries=1#" in answer.text


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_without_a_store_the_caller_is_kept_on_the_line(
    front: Front, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    async def fail(*_given: Any, **_named: Any) -> None:
        raise StoreUnavailable("no disk")

    monkeypatch.setattr(front.journal, "open", fail)
    monkeypatch.setattr(front.journal, "read", fail)
    answer = await front.hook(path, ring())
    assert answer.status_code == 200
    assert verbs(answer.text) == ["Say", "Redirect"]
    over = await front.hook("/callbacks/call", ring(CallStatus="completed"))
    assert over.status_code == 503
    assert over.headers["retry-after"] == "1"


async def test_a_caller_with_a_strange_number_is_taken(front: Front) -> None:
    for number in ("anonymous", "", "client:ada", 'sip:"<&>"@example.com', "+1\u2028"):
        answer = await front.hook("/twiml/voice", ring(From=number))
        assert verbs(answer.text) == ["Connect", "Redirect"]


@pytest.mark.parametrize("path", ["/twiml/voice", "/twiml/resume?moved=1", "/twiml/resume?play=r1"])
async def test_a_server_that_goes_down_opens_no_stream(front: Front, path: str) -> None:
    """Requirement O-9: a call that comes now is asked to come again, and finds another server."""
    front.parts.switchboard.is_draining = True
    answer = await front.hook(path, ring())
    assert [verb.tag for verb in parsed(answer.text)] == ["Pause", "Redirect"]
    assert parsed(answer.text)[1].text == f"{PUBLIC_URL}{path}#rc=5&rp=all"
    assert await front.facts() == []
    front.parts.switchboard.is_alone = True
    answer = await front.hook(path, ring())
    assert [verb.tag for verb in parsed(answer.text)] == ["Say", "Pause", "Redirect"]


async def test_the_action_of_a_verb_that_a_move_cut_opens_no_stream_of_its_own(
    front: Front,
) -> None:
    """The carrier asks twice: for the cut verb's action, then for what the move told it. That one wins."""
    await front.hook("/twiml/voice", ring())
    await front.write(
        e.StreamAttached(stream_sid="MZ1", cause="new", gap_ms=0, server="there"), e.MovePlanned()
    )
    action = await front.hook("/twiml/resume", ring(CallStatus="in-progress"))
    assert verbs(action.text) == ["Pause", "Redirect"]
    moved = await front.hook("/twiml/resume?moved=1", ring(CallStatus="in-progress"))
    assert verbs(moved.text) == ["Connect", "Redirect"]
