import json

from service.simulator import timeline as t
from service.simulator.timeline import Event, Kind, Timeline


def test_events_are_kept_counted_and_told() -> None:
    timeline, told = Timeline(), list[Event]()
    timeline.listen(told.append)
    timeline.note(100, Kind.RANG, "CA1")
    timeline.note(200, Kind.STREAM_OPENED, "MZ1", stream=1)
    assert told == timeline.events
    assert timeline.count(Kind.RANG) == 1
    assert [event.text for event in timeline.of(Kind.STREAM_OPENED, Kind.RANG)] == ["CA1", "MZ1"]


def test_times_count_from_the_first_stream() -> None:
    timeline = Timeline()
    assert timeline.origin_ms() == 0
    timeline.note(100, Kind.RANG)
    assert timeline.origin_ms() == 100
    timeline.note(200, Kind.STREAM_OPENED, stream=1)
    timeline.note(900, Kind.STREAM_OPENED, stream=2)
    assert timeline.origin_ms() == 200
    assert [json.loads(line)["since_ms"] for line in timeline.lines().splitlines()] == [
        -100,
        0,
        700,
    ]


def test_a_call_that_ran_away_is_not_kept_for_ever() -> None:
    timeline = Timeline()
    for at_ms in range(t.EVENTS_MAX + 5):
        timeline.note(at_ms, Kind.MARK)
    assert len(timeline.events) == t.EVENTS_MAX
