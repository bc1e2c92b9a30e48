"""The socket of a person who takes over with their own voice: microphone in, caller out.

    upgrade (bearer, or badge and Origin; role agent) ──> the call is theirs to see, and held here
        ──> the seat is theirs ──> start ──> media … until the seat, the badge, the call or the socket ends

The messages are those of Media Streams: connected, start, media, mark and stop in, media and mark out. The
call's own name and the seat stand in the address, so nothing in `start` is believed.

A person is no carrier: what comes faster than anybody speaks is thrown away, and who goes on so is sent off.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from typing_extensions import override

from service import scope
from service.audio import milliseconds
from service.clock import Clock
from service.errors import Refused, StoreError
from service.journal.journal import Journal
from service.journal.values import Missing
from service.protocol import events as s
from service.protocol.stream import Stream
from service.session.conversation.person import (
    CLOSE_ELSEWHERE,
    CLOSE_NOT_YOURS,
    CLOSE_OVER,
    ELSEWHERE,
    HANDED_BACK,
)
from service.session.kept.records import rebuilt
from service.session.session import Session
from service.switchboard.switchboard import Switchboard
from service.web.door.bearer import Bearers, Visitor
from service.web.seat.earpiece import Farewell, WebEarpiece
from service.web.stream.inflow import Inflow
from service.web.stream.socket import MediaSocket

TALKERS_MAX = 200  # of one process: each costs a detector of voices, as a caller does
START_MS_MAX = 5_000  # the page sends it in the same moment as the socket opens
MESSAGES_BEFORE_START_MAX = 10
EARLY_MS_MAX = 600  # ahead of real time: what a network held back for longer is too late to be said
MESSAGES_A_S = 100  # twice a microphone's
MESSAGES_AT_ONCE_MAX = 1_500  # half a minute that a network held back
POLICY = 1008
TRY_AGAIN = 1013
CLOSE_SIGNED_OUT = 4401
CLOSE_NO_CALL = 4404

_SEAT = re.compile(r"[A-Za-z0-9_-]{1,64}")

_log = logging.getLogger(__name__)


class Pace:
    """Lets so much through in a second, and `burst` more at once."""

    def __init__(self, rate_per_ms: int, burst: int, clock: Clock) -> None:
        """Take the rate and the burst in thousandths of what is counted."""
        self._rate, self._burst, self._clock = rate_per_ms, burst, clock
        self._level, self._at_ms = 0, clock.now_ms()

    def admits(self, cost: int) -> bool:
        """Count `cost` thousandths, unless that is too much at once."""
        now_ms = self._clock.now_ms()
        went = max(0, now_ms - self._at_ms) * self._rate
        self._level, self._at_ms = max(0, self._level - went), now_ms
        if self._level + cost > self._burst:
            return False
        self._level += cost
        return True


class PacedSocket(MediaSocket):
    """A socket whose peer may send only so many messages."""

    def __init__(self, socket: WebSocket, clock: Clock) -> None:
        super().__init__(socket)
        self._pace = Pace(MESSAGES_A_S, MESSAGES_AT_ONCE_MAX * 1_000, clock)

    @override
    async def receive(self) -> str:
        """See MediaSocket.receive."""
        text = await super().receive()
        if not self._pace.admits(1_000):
            raise ConnectionError("too many messages")
        return text

    @override
    async def follow(self, take: Callable[[str | bytes], None]) -> None:
        """See MediaSocket.follow. Each message waits for its turn, so that they can be counted."""
        while True:
            take(await self.receive())


@dataclass(kw_only=True)
class Talking:
    """The door for people's voices."""

    bearers: Bearers
    journal: Journal
    switchboard: Switchboard
    clock: Clock
    inflow: Inflow
    talkers: int = 0

    def routes(self) -> list[WebSocketRoute]:
        """Return the route."""
        return [WebSocketRoute("/api/calls/{call_sid}/voice", self.talk)]

    async def talk(self, websocket: WebSocket) -> None:
        """Serve one socket from upgrade to end."""
        try:
            visitor = self.bearers.admit(websocket, "agent")
        except Refused as refused:
            await websocket.close(POLICY, refused.detail)
            return
        if self.talkers >= TALKERS_MAX:
            await websocket.close(TRY_AGAIN, "too many people talk")
            return
        self.talkers += 1
        try:
            await websocket.accept()
            socket = PacedSocket(websocket, self.clock)
            farewell = await self._serve(websocket, socket, visitor)
            await socket.close(farewell.code, farewell.why)
        finally:
            self.talkers -= 1

    async def _serve(self, websocket: WebSocket, socket: PacedSocket, visitor: Visitor) -> Farewell:
        call_sid = websocket.path_params["call_sid"]
        scope.of_call(call_sid)
        seat = websocket.query_params.get("seat", "")
        session = await self._session(call_sid, visitor)
        if isinstance(session, Farewell):
            return session
        wire = Stream()
        started = await self._started(socket, wire)
        if started is None or started.call_sid != call_sid:
            return Farewell(POLICY, "no start of this call")
        earpiece = WebEarpiece(socket, started.stream_sid)
        if not (_SEAT.fullmatch(seat) and session.person.sit(seat, earpiece)):
            return Farewell(CLOSE_NOT_YOURS, HANDED_BACK)
        _log.info("> a person talks", extra={"action": "person_talks", "call_sid": call_sid})
        try:
            return await self._pass_on(websocket, socket, wire, (session, earpiece))
        finally:
            session.person.leave(earpiece)
            _log.info("< a person is gone", extra={"action": "person_gone", "call_sid": call_sid})

    async def _session(self, call_sid: str, visitor: Visitor) -> Session | Farewell:
        """Return the session that holds the call here, for whoever may see the call."""
        session = self.switchboard.find(call_sid)
        if session is not None and session.call.position:
            call = session.call
        else:
            try:
                reading = await self.journal.read(call_sid)
            except StoreError:
                return Farewell(TRY_AGAIN, "the store failed")
            if isinstance(reading, Missing):
                return Farewell(CLOSE_NO_CALL, "there is no such call")
            call, session = rebuilt(None, reading.records), None
        if call.tenant != visitor.tenant:
            return Farewell(CLOSE_NO_CALL, "there is no such call")
        if session is None and call.phase == "ended":
            return Farewell(CLOSE_OVER, "the call is over")
        return session or Farewell(CLOSE_ELSEWHERE, ELSEWHERE)

    async def _started(self, socket: PacedSocket, wire: Stream) -> s.Started | None:
        try:
            async with asyncio.timeout(START_MS_MAX / 1000):
                for _ in range(MESSAGES_BEFORE_START_MAX):
                    for event in await self.inflow.next(socket, wire):
                        if isinstance(event, s.Started):
                            return event
        except (TimeoutError, ConnectionError):
            return None
        return None

    async def _pass_on(
        self,
        websocket: WebSocket,
        socket: PacedSocket,
        wire: Stream,
        ends: tuple[Session, WebEarpiece],
    ) -> Farewell:
        """Pass on both ways until one of four ends: reading, sending, the badge, the seat."""
        reading = asyncio.create_task(
            self.inflow.pass_on(socket, wire, _taker(*ends, clock=self.clock))
        )
        sending = asyncio.create_task(ends[1].run())
        badge = asyncio.create_task(self._badge_is_over(websocket))
        tasks = (reading, sending, badge)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and sending.exception() is None:
                return sending.result()
            if badge.done():
                return Farewell(CLOSE_SIGNED_OUT, "signed out")
            return Farewell(1000, "")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _badge_is_over(self, websocket: WebSocket) -> None:
        """Return once whoever talks is not admitted any more."""
        while True:
            try:
                visitor = self.bearers.admit(websocket, "agent")
            except Refused:
                return
            over, left_ms = self.bearers.over(visitor), self.bearers.left_ms(visitor)
            try:
                async with asyncio.timeout(None if left_ms is None else left_ms / 1000):
                    await over.wait()
            except TimeoutError:
                continue


def _taker(
    session: Session, earpiece: WebEarpiece, *, clock: Clock
) -> Callable[[s.StreamEvent, int], None]:
    """Return what takes each event of the person's stream."""
    pace = Pace(1_000, EARLY_MS_MAX * 1_000, clock)

    def take(event: s.StreamEvent, _now_ms: int) -> None:
        match event:
            case s.Audio():
                if pace.admits(milliseconds(len(event.payload)) * 1_000):
                    session.person.hear(earpiece, event.payload)
            case s.Echoed():
                earpiece.echoed(event.name)
            case _:
                return  # Keys of theirs, and that it began or stops, change nothing here.

    return take
