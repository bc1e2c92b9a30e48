from typing import Any

import pytest
from msgspec.structs import replace

from service.call.state import Call, StreamEntry
from service.call.survival import SURVIVALS, survival

FIRST = StreamEntry("MZ1", 1, "new", 0, 0, detached_ms=9, reason="closed")
BACK = StreamEntry("MZ2", 2, "drop", 700, 10, detached_ms=99, reason="ended")


def over(*streams: StreamEntry, **changes: Any) -> Call:
    return replace(Call(call_sid="CA1", phase="ended", streams=streams), **changes)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (over(), "untouched"),
        (over(replace(FIRST, reason="ended")), "untouched"),
        (over(replace(FIRST, reason="stop")), "untouched"),
        (over(replace(FIRST, reason="restart"), replace(BACK, cause="dtmf")), "untouched"),
        (over(replace(FIRST, reason="shutdown"), replace(BACK, cause="deploy")), "untouched"),
        (over(FIRST, BACK), "survived"),
        (over(FIRST, replace(BACK, cause="crash")), "survived"),
        (over(FIRST), "lost"),
        (over(FIRST, is_ending_started=True), "untouched"),
        (over(FIRST, carried_on="CA2"), "untouched"),
        (over(FIRST, replace(BACK, reason="idle")), "lost"),
        (over(FIRST, replace(BACK, reason="idle"), carried_on="CA2"), "survived"),
        (over(BACK, is_context_lost=True), "lost"),
        (over(FIRST, BACK, is_drop_limited=True), "lost"),
    ],
)
def test_a_call_that_is_over_was_untouched_survived_its_drops_or_was_lost(
    call: Call, told: str
) -> None:
    assert survival(call) == told
    assert told in SURVIVALS
