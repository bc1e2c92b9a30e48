import logging

import pytest

from service.call import events as e
from service.call.state import Call, StreamEntry
from service.errors import StoreError
from service.meter import Meter
from service.session.telling import (
    tell_attached,
    tell_detached,
    tell_fenced,
    tell_seats,
    tell_store_failed,
)


def counted(meter: Meter, name: str) -> float:
    lines = meter.text().decode().splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(f"{name} ")), 0.0)


def test_a_first_stream_is_no_return(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    meter = Meter()
    call = Call(call_sid="CA1", epoch=1, streams=(StreamEntry("MZ1", 1, "new", 0, 0),))
    tell_attached(call, meter, "host:1:ab", gap_ms=0, took_us=3_000)
    assert "stream attached: new, epoch 1" in caplog.text
    (told,) = caplog.records
    assert vars(told).items() >= {"stream_sid": "MZ1", "server": "host:1:ab"}.items()
    assert counted(meter, "stayline_resume_duration_seconds_count") == 0


def test_a_return_is_measured_and_an_end_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    meter = Meter()
    call = Call(call_sid="CA1", epoch=2, streams=(StreamEntry("MZ1", 1, "drop", 0, 0),))
    tell_attached(call, meter, "host:1:ab", gap_ms=800, took_us=3_000)
    tell_detached("CA1", "MZ1", "closed")
    tell_fenced("CA1", meter)
    tell_store_failed("CA1", meter, StoreError("gone"))
    for words in ("gap 800 ms", "stream detached: closed", "fenced", "the store failed"):
        assert words in caplog.text
    assert counted(meter, "stayline_resume_duration_seconds_count") == 1


def test_who_talks_to_the_caller_is_told_without_names(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    tell_seats("CA1", (e.CallerBegan(), e.TakenOver(by="Ana", seat="a")))
    tell_seats("CA1", (e.HandedBack(by="Ana", reason="unseen"),))
    assert [record.message for record in caplog.records] == [
        "= taken over by a person",
        "= handed back: unseen",
    ]
