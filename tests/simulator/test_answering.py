import pytest

from service.simulator.answering import Dialled, Party, dialled, party, recorded


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("answered", Party("answered")),
        ("answered:2s", Party("answered", 2_000)),
        ("answered:2s:500ms", Party("answered", 2_000, 500)),
        ("no-answer", Party("no-answer")),
        ("busy:1.5", Party("busy", 1_500)),
        ("failed", Party("failed")),
        ("canceled:0s", Party("canceled", 0)),
    ],
)
def test_an_outcome_is_read_from_its_words(text: str, expected: Party) -> None:
    assert party(text) == expected


@pytest.mark.parametrize("text", ["", "completed", "Busy", "busy:1s:1s", "answered:1s:1s:1s"])
def test_what_is_no_outcome_is_one_clear_error(text: str) -> None:
    with pytest.raises(ValueError, match="is no outcome of a dial"):
        party(text)


def test_a_time_that_is_none_is_one_clear_error() -> None:
    with pytest.raises(ValueError, match="is no duration"):
        party("answered:soon")


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Party(), Dialled("completed", 10, 20)),
        (Party("answered", 30_000, 5), Dialled("completed", 30_000, 5)),
        (Party("answered", 30_001, 5), Dialled("no-answer", 30_000)),
        (Party("no-answer"), Dialled("no-answer", 10)),
        (Party("no-answer", 60_000), Dialled("no-answer", 30_000)),
        (Party("busy", 0), Dialled("busy", 0)),
    ],
)
def test_a_dial_rings_no_longer_than_its_timeout(other: Party, expected: Dialled) -> None:
    assert dialled(other, ring_ms=10, talk_ms=20, timeout_ms=30_000) == expected


def test_only_an_answered_dial_has_a_duration() -> None:
    assert Dialled("completed", 10, 2_999).fields("CA2") == [
        ("DialCallStatus", "completed"),
        ("DialCallSid", "CA2"),
        ("DialCallDuration", "2"),
    ]
    assert Dialled("busy", 10).fields("CA2") == [
        ("DialCallStatus", "busy"),
        ("DialCallSid", "CA2"),
    ]


def test_a_recording_has_an_address_whole_seconds_and_maybe_a_key() -> None:
    told = dict(recorded("https://h/Recordings", "RE1", 2_999, "#"))
    assert told == {
        "RecordingUrl": "https://h/Recordings/RE1",
        "RecordingSid": "RE1",
        "RecordingDuration": "2",
        "Digits": "#",
    }
    short = dict(recorded("https://h/Recordings", "RE1", 40, ""))
    assert short["RecordingDuration"] == "1"
    assert "Digits" not in short
