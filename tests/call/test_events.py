import json
import typing

import msgspec
import pytest

from service.call import events as e
from service.call.events import Known

# What stands in journals. A name that changes here makes old journals unreadable.
GOLDEN: tuple[tuple[Known, str], ...] = (
    (e.CallOpened(call_sid="CA1"), '{"kind":"call_opened","call_sid":"CA1","from_number":"","to_number":"","direction":"inbound","account_sid":"","tenant":"default","parameters":{},"continues":"","v":1}'),
    (e.ParameterRefused(name="company", offered="B"), '{"kind":"parameter_refused","name":"company","offered":"B","v":1}'),
    (e.StreamAttached(stream_sid="MZ1", cause="drop", gap_ms=812, server="s1"), '{"kind":"stream_attached","stream_sid":"MZ1","cause":"drop","gap_ms":812,"server":"s1","gap_heard_ms":0,"v":1}'),
    (e.StreamDetached(stream_sid="MZ1", reason="stop", last_media_ms=7), '{"kind":"stream_detached","stream_sid":"MZ1","reason":"stop","last_media_ms":7,"v":1}'),
    (e.ContextLost(reason="gone"), '{"kind":"context_lost","reason":"gone","v":1}'),
    (e.DropLimitReached(drops=11), '{"kind":"drop_limit_reached","drops":11,"v":1}'),
    (e.PulledBack(outcome="redirected"), '{"kind":"pulled_back","outcome":"redirected","v":1}'),
    (e.LevelsMeasured(at_ms=7, caller="AA==", ours="AQ=="), '{"kind":"levels_measured","at_ms":7,"caller":"AA==","ours":"AQ==","v":1}'),
    (e.Greeted(prompt="p1"), '{"kind":"greeted","prompt":"p1","v":1}'),
    (e.AgentSpoke(prompt="p1", clauses=("Hi.", "You?")), '{"kind":"agent_spoke","prompt":"p1","clauses":["Hi.","You?"],"asks":"","who":"agent","request":"","turn":0,"voice":"ours","is_open":false,"v":1}'),
    (e.Played(prompt="p1", clauses=1, part_samples=2), '{"kind":"played","prompt":"p1","clauses":1,"part_samples":2,"part_of_samples":0,"part_words":-1,"synthesised_samples":0,"sent_samples":0,"heard_samples":0,"v":1}'),
    (e.SpeechCut(prompt="p1", reason="key"), '{"kind":"speech_cut","prompt":"p1","reason":"key","v":1}'),
    (e.CallerBegan(), '{"kind":"caller_began","v":1}'),
    (e.CallerSpoke(text="Yes.", partial=True), '{"kind":"caller_spoke","text":"Yes.","confidence_milli":1000,"duration_ms":0,"partial":true,"backchannel":false,"before":"","v":1}'),
    (e.DigitPressed(digit="#"), '{"kind":"digit_pressed","digit":"#","v":1}'),
    (e.DigitsEntered(digits="12", ended_by="hash"), '{"kind":"digits_entered","digits":"12","ended_by":"hash","v":1}'),
    (e.FieldFilled(name="name", value="Ma", source="speech"), '{"kind":"field_filled","name":"name","value":"Ma","source":"speech","confidence_milli":1000,"v":1}'),
    (e.FieldConfirmed(name="name"), '{"kind":"field_confirmed","name":"name","v":1}'),
    (e.FieldCleared(name="name"), '{"kind":"field_cleared","name":"name","v":1}'),
    (e.StageChanged(stage="intake"), '{"kind":"stage_changed","stage":"intake","v":1}'),
    (e.TurnAnswered(turn=3), '{"kind":"turn_answered","turn":3,"v":1}'),
    (e.DigitsRequested(request="r1", digits="1w2"), '{"kind":"digits_requested","request":"r1","digits":"1w2","seat":"","v":1}'),
    (e.RestartMissed(), '{"kind":"restart_missed","v":1}'),
    (e.RestartPlanned(request="r1", cause="dtmf"), '{"kind":"restart_planned","request":"r1","cause":"dtmf","v":1}'),
    (e.DigitsSent(request="r1", outcome="sent"), '{"kind":"digits_sent","request":"r1","outcome":"sent","detail":"","v":1}'),
    (e.SayRequested(request="r1", text="Hi."), '{"kind":"say_requested","request":"r1","text":"Hi.","seat":"","v":1}'),
    (e.TransferRequested(request="r1", to_number="+1"), '{"kind":"transfer_requested","request":"r1","to_number":"+1","v":1}'),
    (e.HangupRequested(request="r1"), '{"kind":"hangup_requested","request":"r1","v":1}'),
    (e.NoteAdded(text="VIP"), '{"kind":"note_added","text":"VIP","by":"","v":1}'),
    (e.EndingPlanned(ending="hangup"), '{"kind":"ending_planned","ending":"hangup","to_number":"","is_last_resort":false,"v":1}'),
    (e.EndingRefused(detail="a page"), '{"kind":"ending_refused","detail":"a page","v":1}'),
    (e.EndingStarted(), '{"kind":"ending_started","v":1}'),
    (e.AgentContinued(prompt="p1", clauses=("Hi.",), is_last=True), '{"kind":"agent_continued","prompt":"p1","clauses":["Hi."],"is_last":true,"v":1}'),
    (e.CallerPartlyHeard(text="My"), '{"kind":"caller_partly_heard","text":"My","v":1}'),
    (e.CallerSilent(), '{"kind":"caller_silent","v":1}'),
    (e.ResumeTokenKept(token=b"abc"), '{"kind":"resume_token_kept","token":"YWJj","v":1}'),
    (e.OperationRequested(operation="t1.1", tool="lookup", arguments={"id": "1"}, turn=1, is_idempotent=True, attempts_max=3, deadline_ms=9), '{"kind":"operation_requested","operation":"t1.1","tool":"lookup","arguments":{"id":"1"},"turn":1,"is_idempotent":true,"attempts_max":3,"deadline_ms":9,"approval_ms":0,"v":1}'),
    (e.OperationApproved(operation="t1.1", by="ann"), '{"kind":"operation_approved","operation":"t1.1","by":"ann","v":1}'),
    (e.OperationDenied(operation="t1.1"), '{"kind":"operation_denied","operation":"t1.1","by":"","v":1}'),
    (e.OperationDispatched(operation="t1.1", attempt=1), '{"kind":"operation_dispatched","operation":"t1.1","attempt":1,"v":1}'),
    (e.OperationDelayed(operation="t1.1", attempt=1, retry_ms=7), '{"kind":"operation_delayed","operation":"t1.1","attempt":1,"retry_ms":7,"detail":"","v":1}'),
    (e.OperationEnded(operation="t1.1", status="succeeded", result="{}"), '{"kind":"operation_ended","operation":"t1.1","status":"succeeded","result":"{}","detail":"","v":1}'),
    (e.DialEnded(outcome="busy"), '{"kind":"dial_ended","outcome":"busy","v":1}'),
    (e.VoicemailLeft(url="https://x", duration_ms=5), '{"kind":"voicemail_left","url":"https://x","duration_ms":5,"v":1}'),
    (e.MovePlanned(), '{"kind":"move_planned","cause":"deploy","v":1}'),
    (e.TakeoverRequested(request="r1", by="Ana", seat="a"), '{"kind":"takeover_requested","request":"r1","by":"Ana","seat":"a","from_seat":"","is_named":false,"v":1}'),
    (e.HandbackRequested(request="r1", by="Ana", seat="a"), '{"kind":"handback_requested","request":"r1","by":"Ana","seat":"a","v":1}'),
    (e.TakenOver(by="Ana", seat="a"), '{"kind":"taken_over","by":"Ana","seat":"a","v":1}'),
    (e.ConsentAsked(times=1), '{"kind":"consent_asked","times":1,"v":1}'),
    (e.ConsentGiven(by="key"), '{"kind":"consent_given","by":"key","v":1}'),
    (e.ConsentDeclined(by="silence"), '{"kind":"consent_declined","by":"silence","v":1}'),
    (e.CollectionBegan(collection="c1", field="card", keys_min=13, keys_max=19, is_card=True), '{"kind":"collection_began","collection":"c1","field":"card","keys_min":13,"keys_max":19,"is_card":true,"sink":"http","v":1}'),
    (e.PayPlanned(collection="c1", round=2), '{"kind":"pay_planned","collection":"c1","round":2,"cause":"dtmf","v":1}'),
    (e.KeysMasked(collection="c1", count=1), '{"kind":"keys_masked","collection":"c1","count":1,"fits":false,"v":1}'),
    (e.CollectionRestarted(collection="c1", reason="drop"), '{"kind":"collection_restarted","collection":"c1","reason":"drop","v":1}'),
    (e.CollectionPassed(collection="c1", keys=16), '{"kind":"collection_passed","collection":"c1","keys":16,"v":1}'),
    (e.CollectionEnded(collection="c1", outcome="taken", reference="tok"), '{"kind":"collection_ended","collection":"c1","outcome":"taken","reference":"tok","detail":"","v":1}'),
    (e.HandedBack(by="Ana", reason="asked"), '{"kind":"handed_back","by":"Ana","reason":"asked","v":1}'),
    (e.CallEnded(reason="hung_up"), '{"kind":"call_ended","reason":"hung_up","v":1}'),
    (e.StreamError(stream_sid="MZ1", code=31924), '{"kind":"stream_error","stream_sid":"MZ1","code":31924,"v":1}'),
    (e.BranchOrphaned(epoch=2, count=1, lost=("{}",)), '{"kind":"branch_orphaned","epoch":2,"count":1,"lost":["{}"],"v":1}'),
    (e.CallAdopted(server="b", seen_ms=7), '{"kind":"call_adopted","server":"b","seen_ms":7,"v":1}'),
    (e.StateDiffered(server="b", position=7, names=("fields",)), '{"kind":"state_differed","server":"b","position":7,"names":["fields"],"v":1}'),
    (e.EarlierCarried(call_sid="CA0", by="number", ended_ms=5), '{"kind":"earlier_carried","call_sid":"CA0","by":"number","ended_ms":5,"fields":{},"stage":"","asked":"","transcript":[],"tools":[],"v":1}'),
    (e.EarlierTaken(is_stale=True), '{"kind":"earlier_taken","is_stale":true,"v":1}'),
    (e.EarlierDeclined(), '{"kind":"earlier_declined","v":1}'),
    (e.CarriedOn(call_sid="CA2"), '{"kind":"carried_on","call_sid":"CA2","v":1}'),
    (e.CallbackRequested(by="rule"), '{"kind":"callback_requested","by":"rule","v":1}'),
    (e.CallbackDialled(attempt=1), '{"kind":"callback_dialled","attempt":1,"v":1}'),
    (e.CallbackPlaced(attempt=1, call_sid="CA2"), '{"kind":"callback_placed","attempt":1,"call_sid":"CA2","v":1}'),
    (e.CallbackEnded(attempt=1, outcome="busy"), '{"kind":"callback_ended","attempt":1,"outcome":"busy","v":1}'),
)  # fmt: skip

# As version 0.1.0 wrote them: what is new since has a default.
EARLIER: tuple[tuple[Known, str], ...] = (
    (e.EndingPlanned(ending="hangup"), '{"kind":"ending_planned","ending":"hangup","to_number":"","v":1}'),
    (e.DigitsRequested(request="r1", digits="1w2"), '{"kind":"digits_requested","request":"r1","digits":"1w2","v":1}'),
    (e.SayRequested(request="r1", text="Hi."), '{"kind":"say_requested","request":"r1","text":"Hi.","v":1}'),
    (e.CallOpened(call_sid="CA1"), '{"kind":"call_opened","call_sid":"CA1","from_number":"","to_number":"","direction":"inbound","account_sid":"","tenant":"default","parameters":{},"v":1}'),
    (e.AgentSpoke(prompt="p1", clauses=("Hi.", "You?")), '{"kind":"agent_spoke","prompt":"p1","clauses":["Hi.","You?"],"asks":"","who":"agent","request":"","v":1}'),
    (e.Played(prompt="p1", clauses=1, part_samples=2), '{"kind":"played","prompt":"p1","clauses":1,"part_samples":2,"part_of_samples":0,"synthesised_samples":0,"sent_samples":0,"heard_samples":0,"v":1}'),
    (e.CallerSpoke(text="Yes.", partial=True), '{"kind":"caller_spoke","text":"Yes.","confidence_milli":1000,"duration_ms":0,"partial":true,"v":1}'),
    (e.FieldFilled(name="name", value="Ma", source="speech"), '{"kind":"field_filled","name":"name","value":"Ma","source":"speech","v":1}'),
)  # fmt: skip


def kind(fact: Known) -> str:
    return str(type(fact).__struct_config__.tag)


@pytest.mark.parametrize(("fact", "text"), GOLDEN, ids=[kind(fact) for fact, _ in GOLDEN])
def test_a_fact_is_written_as_it_always_was_and_reads_back_as_itself(
    fact: Known, text: str
) -> None:
    assert e.encode(fact).decode() == text
    assert e.decode(text.encode()) == fact


@pytest.mark.parametrize(("fact", "text"), EARLIER, ids=[kind(fact) for fact, _ in EARLIER])
def test_a_fact_of_an_earlier_version_reads_as_it_was_meant(fact: Known, text: str) -> None:
    assert e.decode(text.encode()) == fact


def test_every_kind_of_fact_has_its_golden_text() -> None:
    assert {type(fact) for fact, _ in GOLDEN} == set(typing.get_args(Known))


@pytest.mark.parametrize(("fact", "text"), GOLDEN, ids=[kind(fact) for fact, _ in GOLDEN])
def test_a_fact_of_a_newer_version_with_more_in_it_is_still_read(fact: Known, text: str) -> None:
    assert e.decode(text[:-1].encode() + b',"more":[1]}') == fact


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"kind":"moon_landed","v":2,"by":"us"}', "moon_landed"),
        (b'{"kind":"greeted","prompt":7}', "greeted"),
        (b'{"kind":"greeted"}', "greeted"),
        (b'{"kind":"greeted","prompt":"p1","v":2}', "greeted"),
        (b'{"kind":"greeted","prompt":"p1","v":"two"}', "greeted"),
        (b'{"kind":"caller_began","v":99}', "caller_began"),
        (b'{"kind":7}', "7"),
        (b"{}", ""),
        (b"[1]", ""),
        (b"null", ""),
    ],
)
def test_what_this_code_cannot_read_survives_as_it_is(body: bytes, name: str) -> None:
    fact = e.decode(body)
    assert fact == e.Unknown(kind=name, body=body)
    assert e.encode(fact) == body


@pytest.mark.parametrize("body", [b"", b"{", b"{}{}", b"greeted"])
def test_only_broken_json_is_an_error(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        e.decode(body)


def test_a_fact_is_plain_json() -> None:
    fact = e.CallerSpoke(text='Zoë said "no" \u2019')
    assert json.loads(e.encode(fact))["text"] == fact.text
