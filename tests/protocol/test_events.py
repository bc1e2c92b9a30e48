from typing import get_args

import pytest
from msgspec import Struct

from service.protocol.events import Audio, Finding, Lost, Stalled, Started, StreamEvent


@pytest.mark.parametrize("kind", [*get_args(StreamEvent), *get_args(Finding)])
def test_what_a_stream_told_stays_as_it_was_told(kind: type[Struct]) -> None:
    assert kind.__struct_config__.frozen


def test_audio_without_counters_finds_nothing() -> None:
    assert Audio(b"\xff").findings == ()
    assert Audio(b"\xff", (Lost(40),)) != Audio(b"\xff", (Stalled(40),))


def test_a_first_start_is_none_that_came_again() -> None:
    assert not Started("CA1", "MZ1", "AC1", {}).is_again
