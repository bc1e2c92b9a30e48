"""Calls that come while the store is away, from a carrier that takes its time to open a stream."""

import asyncio

import pytest
from msgspec.structs import replace
from typing_extensions import override

from service.simulator.streams.line import Line
from service.simulator.twiml.verbs import Stream
from tests.simulation import exchange
from tests.simulation.brain import GREETING
from tests.simulation.exchange import SwiftBridge
from tests.simulation.fleet import Fleet
from tests.simulation.hearing import heard_words
from tests.simulation.plan import Fault, planned
from tests.simulation.world import lived

DIAL_MS = 400  # from our answer to `start`: a handshake or two, and the carrier's own work
AWAY = Fault(1_500, "away", 0, 8_000)
# Of two servers, the one gives the way to the stream, and the other gets it.
PLAN = replace(planned(3), faults=(AWAY,), lasts_ms=10_000)
CALL = replace(PLAN.calls[0], says=(), hangs_up_ms=0, is_doubled=False)
WORDS = len(GREETING.split())


class SlowBridge(SwiftBridge):
    """Opens its streams late."""

    @override
    async def _open(self, stream: Stream, against: str, stream_sid: str) -> Line | int:
        await asyncio.sleep(DIAL_MS / 1_000)
        return await super()._open(stream, against, stream_sid)


@pytest.mark.parametrize("servers", [1, 2])
@pytest.mark.parametrize("at_ms", [2_000, 2_250, 2_500, 2_750])
def test_who_calls_in_an_outage_is_greeted_at_once_and_not_cut_off_at_its_end(
    monkeypatch: pytest.MonkeyPatch, servers: int, at_ms: int
) -> None:
    monkeypatch.setattr(exchange, "SwiftBridge", SlowBridge)
    seen: list[Fleet] = []

    async def look(fleet: Fleet) -> None:
        seen.append(fleet)

    calls = (replace(CALL, at_ms=at_ms),)
    result = lived(replace(PLAN, servers=servers, skews_ms=(0,) * servers, calls=calls), look)
    assert not result.broken, result.story
    (phone,) = seen[0].phones
    (line,) = phone.lines
    words = heard_words([line], line.ended_ms, line.started_ms)
    assert len(words) == WORDS
    assert words[-1].at_ms < 2_000
