"""The judgement on a call: what was expected, whether it was met, and the exit code that says so.

    0 all met · 1 an expectation failed · 2 the agent never spoke · 3 the service broke the protocol ·
    4 wrong usage · 5 could not connect

Pure: a timeline and what the service's API showed go in, findings come out.
"""

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

import msgspec

from service.simulator.answering import ANSWERED, BEEPED
from service.simulator.replay import expectation as e
from service.simulator.replay.api import Snapshot
from service.simulator.streams import faults
from service.simulator.timeline import Event, Kind, Timeline
from service.simulator.webhook import UNREACHABLE

OK, FAILED, MUTE, VIOLATION, USAGE, NO_CONNECTION = range(6)
RETURN_MS_MAX = 5_000  # a new stream follows a drop within this
GOOD_ENDS = ("the caller hung up", "the service ended the call")
DOCUMENT_HUNG_UP = "the document hung up"
SHOWN_MAX = 5  # warnings quoted in one finding


class Finding(msgspec.Struct, frozen=True):
    """One expectation and whether it was met; `code` is the exit code when it was not."""

    name: str
    is_met: bool
    text: str = ""
    code: int = FAILED


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What is judged."""

    timeline: Timeline
    call_sid: str = ""
    ended_by: str = ""
    is_done: bool = True
    refusals: tuple[str, ...] = ()
    digits: tuple[str, ...] = ()
    snapshot: Snapshot | str | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement."""

    call_sid: str
    exit_code: int
    findings: tuple[Finding, ...]
    figures: dict[str, int]
    timeline: Timeline


def judge(outcome: Outcome, expectations: Sequence[e.Expectation] = ()) -> Report:
    """Check the expectations that every call has, and the user's own."""
    figures = figures_of(outcome.timeline)
    findings = [
        *_carried(outcome),
        *_shown(outcome),
        *(_own(expectation, figures, outcome.snapshot) for expectation in expectations),
    ]
    failed = [finding.code for finding in findings if not finding.is_met]
    code = next((c for c in (NO_CONNECTION, MUTE, VIOLATION, FAILED) if c in failed), OK)
    return Report(
        call_sid=outcome.call_sid,
        exit_code=code,
        findings=tuple(findings),
        figures=figures,
        timeline=outcome.timeline,
    )


def figures_of(timeline: Timeline) -> dict[str, int]:
    """Count what can be counted; the slowest of what can be slow, in milliseconds."""
    later = [event for event in timeline.of(Kind.STREAM_OPENED) if event.stream > 1]
    waits = [event.value for event in timeline.of(Kind.FIRST_AUDIO) if event.stream > 1]
    events = timeline.events
    return {
        "streams": timeline.count(Kind.STREAM_OPENED),
        "drops": len(_drops(timeline)),
        "agent_turns": timeline.count(Kind.AGENT_BEGAN),
        "caller_turns": timeline.count(Kind.CALLER_BEGAN),
        "keys": timeline.count(Kind.KEY),
        "dials": timeline.count(Kind.DIAL_ENDED),
        "messages": timeline.count(Kind.RECORDED),
        "clears": timeline.count(Kind.CLEAR),
        "warnings": timeline.count(Kind.WARNING),
        "stale": timeline.count(Kind.STALE_AUDIO),
        "gap_ms_max": max((event.value for event in later), default=0),
        "resume_ms_max": max(waits, default=0),
        "duration_ms": events[-1].at_ms - events[0].at_ms if events else 0,
    }


def json(report: Report) -> str:
    """Write the report as one JSON object."""
    origin = report.timeline.origin_ms()
    body = {
        "call_sid": report.call_sid,
        "exit_code": report.exit_code,
        "findings": msgspec.to_builtins(report.findings),
        "figures": report.figures,
        "timeline": [
            msgspec.to_builtins(event) | {"since_ms": event.at_ms - origin}
            for event in report.timeline.events
        ],
    }
    return msgspec.json.format(msgspec.json.encode(body), indent=2).decode() + "\n"


def junit(report: Report) -> str:
    """Write the findings as a JUnit test suite, for a build server."""
    failures = sum(not finding.is_met for finding in report.findings)
    cases = "".join(
        f'  <testcase classname="stayline.replay" name={quoteattr(finding.name)}>'
        + ("" if finding.is_met else f"<failure>{escape(finding.text)}</failure>")
        + "</testcase>\n"
        for finding in report.findings
    )
    seconds = (
        f"{report.figures['duration_ms'] // 1_000}.{report.figures['duration_ms'] % 1_000:03d}"
    )
    head = f'tests="{len(report.findings)}" failures="{failures}" time="{seconds}"'
    xml = f'<testsuite name="stayline replay" {head}>\n{cases}</testsuite>\n'
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(
        letter if letter.isprintable() or letter == "\n" else "?" for letter in xml
    )


def _carried(outcome: Outcome) -> list[Finding]:
    timeline = outcome.timeline
    unreachable = [event for event in timeline.of(Kind.ASK_FAILED) if event.value == UNREACHABLE]
    is_answered = bool(timeline.count(Kind.ANSWERED))
    findings = [
        Finding(
            "the call was answered",
            is_answered,
            outcome.ended_by,
            NO_CONNECTION if unreachable else FAILED,
        )
    ]
    if not is_answered:
        return findings
    warnings = [f"{event.value} {event.text}" for event in timeline.of(Kind.WARNING)]
    stale = timeline.count(Kind.STALE_AUDIO)
    unmet = [_unfollowed(timeline, drop) for drop in _drops(timeline)]
    lost = [text for text in unmet if text]
    spoke = bool(timeline.count(Kind.AGENT_BEGAN))
    sent = [event.text for event in timeline.of(Kind.DIGITS_SENT)]
    unsent = [digits for digits in outcome.digits if digits not in sent]
    return [
        *findings,
        Finding("the agent spoke", spoke, "nothing was heard", MUTE),
        Finding("every drop was followed by a new stream", not lost, "; ".join(lost)),
        Finding("no stale audio came", not stale, f"{stale} messages on replaced streams"),
        Finding("the protocol was kept", not warnings, "; ".join(warnings[:SHOWN_MAX]), VIOLATION),
        Finding(
            "all digits were sent",
            not (unsent or outcome.refusals),
            "; ".join([*outcome.refusals, *(f"{digits} was not sent" for digits in unsent)]),
        ),
        Finding("the call ended as it should", _ended_well(outcome), outcome.ended_by),
        Finding("the script was performed", outcome.is_done, "its time was over before its end"),
    ]


def _ended_well(outcome: Outcome) -> bool:
    """A document may hang up once it has handed the caller on: to a human, or to the voicemail."""
    handed_on = [event.text for event in outcome.timeline.of(Kind.DIAL_ENDED, Kind.VERB)]
    is_handed_on = outcome.ended_by == DOCUMENT_HUNG_UP and (
        ANSWERED in handed_on or BEEPED in handed_on
    )
    return outcome.ended_by in GOOD_ENDS or is_handed_on


def _shown(outcome: Outcome) -> list[Finding]:
    match outcome.snapshot:
        case Snapshot(call, records):
            greeted = sum(record.get("kind") == "greeted" for record in records)
            phase = str(call.get("phase"))
            return [
                Finding("the caller was greeted once", greeted == 1, f"greeted {greeted} times"),
                Finding("the service knows the call", phase in {"live", "ended"}, f"phase {phase}"),
            ]
        case None:
            return []
        case why:
            return [Finding("the service's API shows the call", is_met=False, text=str(why))]


def _own(
    expectation: e.Expectation, figures: dict[str, int], snapshot: Snapshot | str | None
) -> Finding:
    known = snapshot if isinstance(snapshot, Snapshot) else None
    value = e.found_value(expectation.name, figures, known)
    name = f"{expectation.name}{expectation.relation}{expectation.wanted}"
    text = "nothing bears this name" if value is None else f"it is {value}"
    return Finding(name, e.is_met(expectation, value), text)


def _drops(timeline: Timeline) -> list[Event]:
    return [event for event in timeline.of(Kind.FAULT) if faults.is_drop(faults.parse(event.text))]


def _unfollowed(timeline: Timeline, drop: Event) -> str:
    limit_ms = drop.at_ms + RETURN_MS_MAX
    for event in timeline.events:
        is_later = event.at_ms >= drop.at_ms and event.kind is Kind.STREAM_OPENED
        if is_later and event.stream > drop.stream and event.at_ms <= limit_ms:
            return ""
        if event.kind is Kind.HUNG_UP and event.text in GOOD_ENDS and event.at_ms <= limit_ms:
            return ""
    return (
        f"no stream within {RETURN_MS_MAX // 1_000} s after the {drop.text} of stream {drop.stream}"
    )
