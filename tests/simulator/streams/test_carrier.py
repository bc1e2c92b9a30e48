import json

import pytest

from service.protocol import messages as m
from service.simulator.streams import carrier
from service.simulator.streams.carrier import Leg

START_MS = 1_000


def leg(*, clear_echoes: bool = True, echoes: bool = True) -> Leg:
    return Leg("MZ1", "CA1", "AC1", {"a": "é & <"}, clear_echoes=clear_echoes, echoes=echoes)


def names(texts: list[str]) -> list[str]:
    return [json.loads(text)["mark"]["name"] for text in texts]


def test_speaks_as_twilio_writes() -> None:
    ours = leg()
    assert json.loads(ours.connected()) == {
        "event": "connected",
        "protocol": "Call",
        "version": "1.0.0",
    }
    assert json.loads(ours.start()) == {
        "event": "start",
        "sequenceNumber": "1",
        "start": {
            "accountSid": "AC1",
            "streamSid": "MZ1",
            "callSid": "CA1",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"a": "é & <"},
        },
        "streamSid": "MZ1",
    }
    assert json.loads(ours.media(b"\xff" * 160)) == {
        "event": "media",
        "sequenceNumber": "2",
        "media": {
            "track": "inbound",
            "chunk": "1",
            "timestamp": "0",
            "payload": "/" * 213 + "w==",
        },
        "streamSid": "MZ1",
    }
    second = json.loads(ours.media(b"\xff" * 160))["media"]
    assert (second["chunk"], second["timestamp"]) == ("2", "20")
    assert json.loads(ours.dtmf("#")) == {
        "event": "dtmf",
        "streamSid": "MZ1",
        "sequenceNumber": "4",
        "dtmf": {"track": "inbound_track", "digit": "#"},
    }
    assert json.loads(ours.stop()) == {
        "event": "stop",
        "sequenceNumber": "5",
        "stop": {"accountSid": "AC1", "callSid": "CA1"},
        "streamSid": "MZ1",
    }


def test_a_second_start_counts_anew() -> None:
    ours = leg()
    ours.start()
    ours.media(b"\xff" * 160)
    assert json.loads(ours.start())["sequenceNumber"] == "1"
    assert json.loads(ours.media(b"\xff"))["media"]["chunk"] == "1"


def test_the_service_reads_all_that_the_carrier_writes() -> None:
    ours = leg()
    kinds = [
        type(m.decode(text))
        for text in (
            ours.connected(),
            ours.start(),
            ours.media(b"\xff"),
            ours.dtmf("1"),
            ours.stop(),
        )
    ]
    assert kinds == [m.Connected, m.Start, m.Media, m.Dtmf, m.Stop]


def test_plays_eight_samples_a_millisecond_and_stands_still_when_dry() -> None:
    ours = leg()
    ours.receive(m.media("MZ1", b"\x01" * 800), START_MS)
    assert ours.heard(START_MS) == []
    assert ours.heard(START_MS + 50) == [(START_MS, b"\x01" * 400)]
    assert ours.buffered(START_MS + 50) == 400
    ours.receive(m.media("MZ1", b"\x02" * 80), START_MS + 50)
    ours.receive(m.media("MZ1", b"\x03" * 80), START_MS + 500)
    assert ours.played(START_MS + 505) == 800 + 80 + 40
    assert ours.heard(START_MS + 600)[1:] == [
        (START_MS + 100, b"\x02" * 80),
        (START_MS + 500, b"\x03" * 80),
    ]
    assert ours.buffered(START_MS + 600) == 0


def test_a_mark_echoes_when_the_audio_before_it_has_played() -> None:
    ours = leg()
    assert ours.deadline_ms() is None
    ours.receive(m.media("MZ1", b"\x01" * 801), START_MS)
    ours.receive(m.mark("MZ1", "a"), START_MS)
    assert ours.deadline_ms() == START_MS + 101
    assert ours.poll(START_MS + 100) == []
    assert names(ours.poll(START_MS + 101)) == ["a"]
    assert ours.poll(START_MS + 102) == []
    assert ours.was_played == {"a": True}


def test_a_mark_on_an_empty_buffer_echoes_at_once() -> None:
    ours = leg()
    ours.receive(m.mark("MZ1", "a"), START_MS)
    assert ours.deadline_ms() == 0
    assert names(ours.poll(START_MS)) == ["a"]


@pytest.mark.parametrize(("clear_echoes", "echoed"), [(True, ["a", "b"]), (False, [])])
def test_clear_empties_the_buffer_and_nothing_of_it_was_played(
    *, clear_echoes: bool, echoed: list[str]
) -> None:
    ours = leg(clear_echoes=clear_echoes)
    ours.receive(m.media("MZ1", b"\x01" * 800), START_MS)
    ours.receive(m.mark("MZ1", "a"), START_MS)
    ours.receive(m.media("MZ1", b"\x02" * 800), START_MS)
    ours.receive(m.mark("MZ1", "b"), START_MS)
    ours.receive(m.clear("MZ1"), START_MS + 50)
    assert names(ours.poll(START_MS + 50)) == echoed
    assert ours.was_played == {"a": False, "b": False}
    assert ours.heard(START_MS + 5_000) == [(START_MS, b"\x01" * 400)]
    ours.receive(m.media("MZ1", b"\x03" * 8), START_MS + 60)
    assert ours.heard(START_MS + 5_000)[1:] == [(START_MS + 60, b"\x03" * 8)]


def test_a_carrier_that_never_echoes_still_knows_what_was_played() -> None:
    ours = leg(echoes=False)
    ours.receive(m.media("MZ1", b"\x01" * 80), START_MS)
    ours.receive(m.mark("MZ1", "a"), START_MS)
    assert ours.poll(START_MS + 10) == []
    assert ours.was_played == {"a": True}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"\x00", carrier.BINARY),
        ("\x00", carrier.BINARY),
        ("no json", carrier.NON_COMPLIANT),
        ('{"event":"start","streamSid":"MZ1"}', carrier.NON_COMPLIANT),
        (
            '{"event":"media","streamSid":"MZ1","media":{"payload":"AA==","x":1}}',
            carrier.NON_COMPLIANT,
        ),
        (m.mark("MZ2", "a"), carrier.NON_COMPLIANT),
    ],
)
def test_what_twilio_would_not_take_is_warned_of_and_dropped(text: str | bytes, code: int) -> None:
    ours = leg()
    ours.receive(text, START_MS)
    assert [warned.code for warned in ours.warnings] == [code]
    assert ours.heard(START_MS + 1_000) == []
    assert ours.poll(START_MS + 1_000) == []


def test_audio_beyond_ten_minutes_is_discarded() -> None:
    ours = leg()
    second = m.media("MZ1", b"\x01" * 8_000)
    for _ in range(601):
        ours.receive(second, START_MS)
    assert [warned.code for warned in ours.warnings] == [carrier.DISCARDED]
    assert ours.buffered(START_MS) == carrier.BUFFER_MAX


def test_a_flood_of_warnings_is_bounded() -> None:
    ours = leg()
    for _ in range(carrier.WARNINGS_MAX + 1):
        ours.receive("no json", START_MS)
    assert len(ours.warnings) == carrier.WARNINGS_MAX
