import json
from xml.etree import ElementTree as ET

import pytest

from service.simulator.replay import expectation, report as r
from service.simulator.replay.api import Snapshot
from service.simulator.timeline import Kind, Timeline

GOOD = [
    (0, Kind.RANG, "CA1", 0, 0),
    (5, Kind.ANSWERED, "", 0, 0),
    (10, Kind.STREAM_OPENED, "MZ1", 1, 0),
    (20, Kind.FIRST_AUDIO, "", 1, 10),
    (30, Kind.AGENT_BEGAN, "", 1, 0),
    (900, Kind.FAULT, "reset", 1, 0),
    (900, Kind.STREAM_ENDED, "the network failed (1006)", 1, 31903),
    (1_500, Kind.STREAM_OPENED, "MZ2", 2, 600),
    (1_540, Kind.FIRST_AUDIO, "", 2, 40),
    (9_000, Kind.HUNG_UP, "the caller hung up", 0, 0),
]
Row = tuple[int, Kind, str, int, int]


def timeline(*more: Row, without: Kind | None = None) -> Timeline:
    made = Timeline()
    for at_ms, kind, text, stream, value in sorted([*GOOD, *more], key=lambda row: row[0]):
        if kind is not without:
            made.note(at_ms, kind, text, stream=stream, value=value)
    return made


def judged(made: Timeline, *expectations: str, **more: object) -> r.Report:
    told = {"ended_by": "the caller hung up", **more}
    outcome = r.Outcome(timeline=made, call_sid="CA1", **told)  # type: ignore[arg-type]
    return r.judge(outcome, [expectation.parse(text) for text in expectations])


def failed(report: r.Report) -> list[str]:
    return [finding.name for finding in report.findings if not finding.is_met]


def test_a_good_call_meets_everything() -> None:
    snapshot = Snapshot({"phase": "live"}, [{"kind": "greeted"}])
    report = judged(timeline(), "streams=2", "phase=live", snapshot=snapshot)
    assert failed(report) == []
    assert report.exit_code == r.OK
    assert report.figures["gap_ms_max"] == 600
    assert report.figures["resume_ms_max"] == 40
    assert report.figures["drops"] == 1


@pytest.mark.parametrize(
    ("made", "code", "name"),
    [
        (timeline(without=Kind.AGENT_BEGAN), r.MUTE, "the agent spoke"),
        (
            timeline((50, Kind.WARNING, "a field too many", 1, 31951)),
            r.VIOLATION,
            "the protocol was kept",
        ),
        (timeline((60, Kind.STALE_AUDIO, "", 1, 0)), r.FAILED, "no stale audio came"),
        (
            timeline((2_000, Kind.FAULT, "half-open", 2, 0)),
            r.FAILED,
            "every drop was followed by a new stream",
        ),
        (
            timeline((6, Kind.ASK_FAILED, "no connection", 0, 11205), without=Kind.ANSWERED),
            r.NO_CONNECTION,
            "the call was answered",
        ),
        (
            timeline((6, Kind.ASK_FAILED, "HTTP 500", 0, 11200), without=Kind.ANSWERED),
            r.FAILED,
            "the call was answered",
        ),
    ],
)
def test_each_failure_has_its_exit_code(made: Timeline, code: int, name: str) -> None:
    report = judged(made)
    assert failed(report) == [name]
    assert report.exit_code == code


def test_a_drop_just_before_the_caller_hangs_up_needs_no_stream() -> None:
    assert failed(judged(timeline((8_000, Kind.FAULT, "reset", 2, 0)))) == []


def test_a_stall_is_no_drop() -> None:
    assert failed(judged(timeline((2_000, Kind.FAULT, "stall", 2, 0)))) == []


def test_an_end_that_nobody_wanted_and_an_unfinished_script_are_failures() -> None:
    report = judged(timeline(), ended_by="the document had no verb left", is_done=False)
    assert failed(report) == ["the call ended as it should", "the script was performed"]


@pytest.mark.parametrize(
    "row",
    [(8_000, Kind.DIAL_ENDED, "completed", 0, 900), (8_000, Kind.VERB, "beeps and records", 0, 0)],
)
def test_a_document_may_hang_up_after_a_human_or_the_voicemail(row: Row) -> None:
    assert failed(judged(timeline(row), "dials>=0", ended_by="the document hung up")) == []


@pytest.mark.parametrize("outcome", ["busy", "no-answer"])
def test_a_document_may_not_hang_up_on_a_caller_whom_nobody_answered(outcome: str) -> None:
    made = timeline((8_000, Kind.DIAL_ENDED, outcome, 0, 0))
    report = judged(made, ended_by="the document hung up")
    assert failed(report) == ["the call ended as it should"]
    assert (report.figures["dials"], report.figures["messages"]) == (1, 0)


def test_digits_that_were_not_sent_are_a_failure() -> None:
    report = judged(timeline(), digits=("1w2",), refusals=("HTTP 409",))
    assert failed(report) == ["all digits were sent"]
    sent = timeline((3_000, Kind.DIGITS_SENT, "1w2", 0, 0))
    assert failed(judged(sent, digits=("1w2",))) == []


def test_a_second_greeting_is_a_failure() -> None:
    snapshot = Snapshot({"phase": "live"}, [{"kind": "greeted"}, {"kind": "greeted"}])
    assert failed(judged(timeline(), snapshot=snapshot)) == ["the caller was greeted once"]


def test_an_api_that_shows_nothing_is_a_failure() -> None:
    assert failed(judged(timeline(), snapshot="HTTP 404")) == ["the service's API shows the call"]


def test_an_own_expectation_that_nothing_bears_is_a_failure() -> None:
    assert failed(judged(timeline(), "fields.name=Zoë")) == ["fields.name=Zoë"]


def test_the_report_is_json() -> None:
    shown = json.loads(r.json(judged(timeline())))
    assert shown["exit_code"] == 0
    assert shown["figures"]["streams"] == 2
    assert shown["timeline"][0]["since_ms"] == -10


def test_the_report_is_junit() -> None:
    made = timeline((50, Kind.WARNING, "<\x00&>", 1, 31951))
    suite = ET.fromstring(r.junit(judged(made, "streams>=2")))  # noqa: S314  our own writing
    assert suite.attrib["failures"] == "1"
    assert suite.attrib["time"] == "9.000"
    assert [case.findtext("failure") for case in suite if len(case)] == ["31951 <?&>"]
