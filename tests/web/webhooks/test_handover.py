import asyncio
import logging
from typing import Any

import pytest

from service.call import events as e
from service.errors import StoreUnavailable
from tests.web.front import CALL, Front, parsed, ring

pytestmark = pytest.mark.asyncio

END = ["Hangup"]
GOODBYE = ["Say", "Hangup"]
VOICEMAIL = ["Say", "Record", "Say", "Hangup"]
RECORDING = "https://api.example.com/2010-04-01/Accounts/AC1/Recordings/RE1"


def verbs(document: str) -> list[str]:
    return [verb.tag for verb in parsed(document)]


async def asked(front: Front, path: str, **fields: str) -> list[str]:
    answer = await front.hook(path, ring(CallStatus="in-progress", **fields))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    return verbs(answer.text)


async def written(front: Front) -> list[e.AnyFact]:
    return (await front.facts())[1:]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("completed", END), ("answered", END), ("busy", VOICEMAIL), ("no-answer", VOICEMAIL),
        ("failed", VOICEMAIL), ("canceled", VOICEMAIL), ("a word of tomorrow", VOICEMAIL),
    ],
)  # fmt: skip
async def test_how_a_dial_ended_is_written_once_and_leads_on_however_often_it_is_told(
    front: Front, status: str, expected: list[str]
) -> None:
    await front.hook("/twiml/voice", ring())
    told = {"DialCallStatus": status, "DialCallSid": "CA2"}
    answers = await asyncio.gather(*(asked(front, "/twiml/dialled", **told) for _ in range(3)))
    assert answers == [expected] * 3
    assert await written(front) == [e.DialEnded(outcome=status)]


async def test_two_dials_of_one_call_are_two_facts(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    for sid in ("CA2", "CA3", "CA3"):
        await asked(front, "/twiml/dialled", DialCallStatus="busy", DialCallSid=sid)
    assert await written(front) == [e.DialEnded(outcome="busy")] * 2


@pytest.mark.parametrize(
    ("before", "expected"), [("completed", END), ("no-answer", VOICEMAIL), ("", VOICEMAIL)]
)
async def test_a_dial_without_a_word_goes_by_what_was_told_before(
    front: Front, before: str, expected: list[str]
) -> None:
    await front.hook("/twiml/voice", ring())
    if before:
        await asked(front, "/twiml/dialled", DialCallStatus=before)
    known = await written(front)
    assert await asked(front, "/twiml/dialled") == expected
    assert await written(front) == known


async def test_a_caller_who_hung_up_while_it_rang_is_asked_for_no_message(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    over = ring(CallStatus="completed", DialCallStatus="canceled")
    assert verbs((await front.hook("/twiml/dialled", over)).text) == END
    assert await written(front) == [e.DialEnded(outcome="canceled")]


@pytest.mark.parametrize("status", ["in-progress", "completed"])
async def test_a_message_is_kept_once_whether_or_not_the_caller_has_hung_up(
    front: Front, status: str
) -> None:
    await front.hook("/twiml/voice", ring())
    left = ring(RecordingUrl=RECORDING, RecordingDuration="9", CallStatus=status)
    for _ in range(3):
        assert verbs((await front.hook("/twiml/voicemail", left)).text) == GOODBYE
    assert await written(front) == [e.VoicemailLeft(url=RECORDING, duration_ms=9_000)]


@pytest.mark.parametrize("length", ["", "-1", "soon", "1.5", "9" * 40])
async def test_a_strange_length_of_a_message_counts_as_none(front: Front, length: str) -> None:
    await front.hook("/twiml/voice", ring())
    told = {"RecordingUrl": RECORDING, "RecordingDuration": length}
    assert await asked(front, "/twiml/voicemail", **told) == GOODBYE
    assert await written(front) == [e.VoicemailLeft(url=RECORDING)]


@pytest.mark.parametrize(
    "url", ["", "RE1", "javascript:alert(1)", 'https://h/"><script>', "https://h/a b", "ftp://h/a"]
)
async def test_what_is_no_address_of_a_recording_is_not_kept_and_the_call_ends_well(
    front: Front, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await front.hook("/twiml/voice", ring())
    with caplog.at_level(logging.WARNING):
        assert await asked(front, "/twiml/voicemail", RecordingUrl=url) == GOODBYE
    assert await written(front) == []
    assert "without the address" in caplog.text


async def test_facts_about_a_call_that_is_over_for_us_are_kept(front: Front) -> None:
    await front.hook("/twiml/voice", ring())
    await front.write(e.CallEnded(reason="transferred"))
    await asked(front, "/twiml/dialled", DialCallStatus="no-answer")
    await asked(front, "/twiml/voicemail", RecordingUrl=RECORDING)
    kinds = [type(fact).__name__ for fact in await written(front)]
    assert kinds == ["CallEnded", "DialEnded", "VoicemailLeft"]


async def test_a_call_that_nobody_knows_is_led_on_and_told_in_the_log(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert await asked(front, "/twiml/dialled", DialCallStatus="busy") == VOICEMAIL
        assert await asked(front, "/twiml/dialled") == VOICEMAIL
        assert await asked(front, "/twiml/voicemail", RecordingUrl=RECORDING) == GOODBYE
    assert caplog.text.count("can't be kept") == 2
    assert await front.journal.open_calls() == ()


async def test_without_a_store_the_caller_is_led_on_all_the_same(
    front: Front, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_given: Any, **_named: Any) -> None:
        raise StoreUnavailable("no disk")

    monkeypatch.setattr(front.journal, "append", fail)
    monkeypatch.setattr(front.journal, "read", fail)
    with caplog.at_level(logging.ERROR):
        assert await asked(front, "/twiml/dialled", DialCallStatus="completed") == END
        assert await asked(front, "/twiml/dialled", DialCallStatus="busy") == VOICEMAIL
        assert await asked(front, "/twiml/dialled") == VOICEMAIL
        assert await asked(front, "/twiml/voicemail", RecordingUrl=RECORDING) == GOODBYE
    assert caplog.text.count("the store failed") == 4
    assert RECORDING not in caplog.text


@pytest.mark.parametrize("path", ["/twiml/dialled", "/twiml/voicemail"])
async def test_only_the_carrier_may_tell_and_only_about_a_call(front: Front, path: str) -> None:
    await front.hook("/twiml/voice", ring())
    fields = ring(DialCallStatus="busy", RecordingUrl=RECORDING)
    assert (await front.hook(path, fields, signed="")).status_code == 403
    assert (await front.hook(path, fields, signed="AAAA")).status_code == 403
    assert (await front.hook(path, {**fields, "AccountSid": "AC2"})).status_code == 403
    assert (await front.hook(path, {**fields, "CallSid": ""})).status_code == 400
    assert (await front.hook(path, {**fields, "RecordingUrl": "x" * 3_000})).status_code == 400
    assert (await front.web.get(path)).status_code == 405
    assert await front.facts(CALL) == (await front.facts())[:1]
