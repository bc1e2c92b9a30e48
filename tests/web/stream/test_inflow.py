import asyncio
import json
import logging

import pytest
from starlette.websockets import WebSocket

from service import scope
from service.call.inputs import IDLE
from service.clock import Clock
from service.meter import Meter
from service.protocol import events as s
from service.protocol.stream import Stream
from service.web.stream.inflow import Inflow
from service.web.stream.socket import MediaSocket
from tests.lines import lines

pytestmark = pytest.mark.asyncio

START = {
    "event": "start",
    "streamSid": "MZ1",
    "start": {
        "callSid": "CA1",
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    },
}
STOP = {"event": "stop", "streamSid": "MZ1", "stop": {"callSid": "CA1"}}


class Peer:
    """The far end of a socket: it says what it has to say, then nothing, or that it is gone."""

    def __init__(self, *texts: str, is_gone: bool = True) -> None:
        self.messages = [{"type": "websocket.receive", "text": text} for text in texts]
        if is_gone:
            self.messages.append({"type": "websocket.disconnect", "code": "1001"})

    def socket(self) -> MediaSocket:
        socket = WebSocket({"type": "websocket", "headers": []}, self.receive, self.send)
        socket.client_state = socket.application_state.CONNECTED
        return MediaSocket(socket)

    async def receive(self) -> dict[str, str]:
        if not self.messages:
            await asyncio.Event().wait()
        return self.messages.pop(0)

    async def send(self, _message: object) -> None:
        """Nothing is said to it."""


async def passed_on(peer: Peer, *, idle_ms: int = 0) -> tuple[str, list[s.StreamEvent], Meter]:
    meter, taken = Meter(), list[s.StreamEvent]()
    inflow = Inflow(clock=Clock(), meter=meter, idle_ms=idle_ms)
    reason = await inflow.pass_on(peer.socket(), Stream(), lambda event, _: taken.append(event))
    return reason, taken, meter


async def test_a_stream_is_passed_on_until_it_stops() -> None:
    reason, taken, _ = await passed_on(Peer(json.dumps(START), json.dumps(STOP)))
    assert reason == "stop"
    assert [type(event) for event in taken] == [s.Started, s.Stopped]


async def test_what_is_outside_the_protocol_is_counted_and_left_out() -> None:
    reason, taken, meter = await passed_on(Peer("nonsense", json.dumps(START)))
    assert reason == "closed 1001"
    assert [type(event) for event in taken] == [s.Started]
    assert meter.dropped_messages._value.get() == 1


async def test_what_a_stream_brings_is_taken_in_its_calls_scope(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    scope.of_call("CA" + "0f" * 16)
    with lines() as told:
        await passed_on(Peer("nonsense"))
    (dropped,) = (one for one in told if one.get("action") == "message_dropped")
    assert dropped["call_sid"] == "CA" + "0f" * 16


async def test_a_stream_that_brings_nothing_for_the_idle_time_is_over() -> None:
    reason, _, meter = await passed_on(Peer(json.dumps(START), is_gone=False), idle_ms=40)
    assert reason == IDLE
    assert meter.waiting.idle._value.get() == 1


async def test_what_its_taker_raises_ends_the_passage_and_is_told() -> None:
    def take(_: s.StreamEvent, _now_ms: int) -> None:
        raise ValueError("not for me")

    inflow = Inflow(clock=Clock(), meter=Meter(), idle_ms=0)
    with pytest.raises(ValueError, match="not for me"):
        await inflow.pass_on(Peer(json.dumps(START), json.dumps(STOP)).socket(), Stream(), take)


async def test_a_binary_message_is_left_out_and_the_stream_goes_on() -> None:
    peer = Peer(json.dumps(START), json.dumps(STOP))
    peer.messages.insert(1, {"type": "websocket.receive"})
    reason, taken, meter = await passed_on(peer)
    assert reason == "stop"
    assert [type(event) for event in taken] == [s.Started, s.Stopped]
    assert meter.dropped_messages._value.get() == 1
