"""The media socket: from the upgrade to the session, and nothing before it is proved.

    upgrade (its entrance) ──> connected, start ──> token ──> gate ──> spent ──> claimed ──> audio …

Until the token is accepted there is no row, no agent and no memory beyond the messages themselves,
and the socket has five seconds.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from service import scope
from service.call import events as e, inputs as i
from service.clock import Clock
from service.documents import TENANT
from service.errors import StoreError
from service.journal.journal import Journal
from service.journal.values import Unspendable
from service.meter import Meter
from service.protocol import events as s
from service.protocol.stream import Stream
from service.redaction import own_words
from service.session.arrival import Arrival
from service.session.session import Session
from service.session.sound.forks import Fork, Forks
from service.switchboard.admission import Admission
from service.switchboard.switchboard import Switchboard
from service.trust.tenants import DEFAULT_TENANT, Tenants
from service.trust.token import BROWSER, EAR, REDIAL_WINDOW_MS, REDIALS_MAX, Token, TokenMint
from service.web.door.form import host_of
from service.web.stream.entrance import Entrance
from service.web.stream.inflow import Inflow
from service.web.stream.socket import MediaSocket
from service.web.stream.strangers import Strangers
from service.wire.turnstile import Turnstile

START_MS_MAX = 5_000  # Twilio sends `start` in the same moment as `connected`
MESSAGES_BEFORE_START_MAX = 10  # two are needed
REFUSED = 1008
TRY_AGAIN = 1013

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Refusal:
    """Why a stream is not let in; one sentence, and the close code."""

    why: str
    code: int = REFUSED


@dataclass(frozen=True)
class _Admitted:
    """A stream that was let in: its wire, who takes what it brings, and who is told of its end."""

    wire: Stream
    take: Callable[[s.StreamEvent, int], None]
    lost: Callable[[str], None]


@dataclass(kw_only=True)
class Media:
    """The door for media streams, with an entrance for each kind of call."""

    entrances: Sequence[Entrance]
    mint: TokenMint
    journal: Journal
    switchboard: Switchboard
    forks: Forks
    clock: Clock
    meter: Meter
    admission: Admission
    inflow: Inflow
    tenants: Tenants
    strangers: Strangers
    turnstile: Turnstile

    def routes(self) -> list[WebSocketRoute]:
        """Return a route for each entrance."""
        return [
            WebSocketRoute(one.path, partial(self.media, entrance=one)) for one in self.entrances
        ]

    async def media(self, websocket: WebSocket, entrance: Entrance) -> None:
        """Serve one socket from upgrade to end."""
        is_proved = entrance.is_proved(websocket)
        refusal = self._unwelcome(websocket, entrance, is_proved=is_proved)
        if refusal is not None:
            self._refuse("upgrade", refusal.why)
            await websocket.close(refusal.code, refusal.why)
            return
        await websocket.accept()
        socket = entrance.accepted(websocket, is_proved=is_proved)
        try:
            await self._serve(socket, entrance)
        finally:
            entrance.part(socket)

    async def _serve(self, socket: MediaSocket, entrance: Entrance) -> None:
        admitted = await self._admit(socket, entrance)
        if isinstance(admitted, _Refusal):
            self._refuse("stream", admitted.why)
            await (
                self.turnstile.turn()
            )  # Whoever came at once, and said nothing, is refused at once.
            await socket.close(admitted.code, admitted.why)
            return
        reason = "closed"
        try:
            reason = await self.inflow.pass_on(socket, admitted.wire, admitted.take)
        finally:
            admitted.lost(reason)
            await socket.close(1000, "")

    def _unwelcome(
        self, websocket: WebSocket, entrance: Entrance, *, is_proved: bool
    ) -> _Refusal | None:
        if why := entrance.unwelcome(websocket, is_proved=is_proved):
            return _Refusal(why)
        if not self.strangers.have_room(host_of(websocket), is_signed=is_proved):
            return _Refusal("too many sockets are waiting to prove themselves", TRY_AGAIN)
        return None

    def _refuse(self, door: str, why: str) -> None:
        self.meter.refused.labels(door=door).inc()
        _log.warning("! stream refused: %s", own_words(why), extra={"action": "stream_refused"})

    async def _admit(self, socket: MediaSocket, entrance: Entrance) -> _Admitted | _Refusal:
        wire = Stream()
        proved = await self._proved(socket, wire, entrance)
        if isinstance(proved, _Refusal):
            return proved
        started, token = proved
        scope.of_call(started.call_sid)
        if token.door == EAR:
            return await self._admit_ear(socket, wire, started, token)
        started_us = self.clock.now_us()
        async with self.admission.admit(token.opened_s) as is_let_in:
            if not is_let_in:
                return _Refusal("too many streams at once", TRY_AGAIN)
            door = await self._door(started, token)
            if isinstance(door, _Refusal):
                return door
            entrance.join(started.call_sid, socket)
            taken = await self._put_through(
                socket, started, token, door=door, started_us=started_us
            )
        if taken is None:
            return _Refusal("the call is over or can't be taken", 1000)
        session, epoch = taken
        return _Admitted(wire, partial(_pass_on, session, epoch), partial(session.lost, epoch))

    async def _admit_ear(
        self, socket: MediaSocket, wire: Stream, started: s.Started, token: Token
    ) -> _Admitted | _Refusal:
        """Let a stream in that only listens: it claims nothing, so it waits at no gate."""
        door = await self._door(started, token)
        if isinstance(door, _Refusal):
            return door
        clock = self.clock
        fork = self.forks.join(started.call_sid, socket, clock.now_ms())
        if fork is None:
            return _Refusal("too many streams listen", TRY_AGAIN)
        return _Admitted(wire, partial(_overhear, fork), lambda _reason: fork.part(clock.now_ms()))

    async def _proved(
        self, socket: MediaSocket, wire: Stream, entrance: Entrance
    ) -> tuple[s.Started, Token] | _Refusal:
        """Wait for the start and check its token; only then is the socket more than a stranger's."""
        try:
            async with asyncio.timeout(START_MS_MAX / 1000):
                with self.strangers.one(socket.host):
                    started = await self._start(socket, wire)
        except TimeoutError:
            return _Refusal(f"no start within {START_MS_MAX} ms")
        except ConnectionError:
            return _Refusal("the socket ended before its start")
        if isinstance(started, _Refusal):
            return started
        told = started.parameters.get("token", "")
        token = self.mint.read(told, started.call_sid, now_ms=self.clock.now_ms())
        if isinstance(token, str):
            return _Refusal(token)
        if why := entrance.refusal(started, token):
            return _Refusal(why)
        if (token.door == EAR) != started.parameters.get(EAR, "").startswith(f"{EAR}-"):
            return _Refusal("the token is another kind of stream's")
        return started, token

    async def _start(self, socket: MediaSocket, wire: Stream) -> s.Started | _Refusal:
        for _ in range(MESSAGES_BEFORE_START_MAX):
            for event in await self.inflow.next(socket, wire):
                if isinstance(event, s.Started):
                    return event
        return _Refusal("no start among the first messages")

    async def _put_through(
        self,
        socket: MediaSocket,
        started: s.Started,
        token: Token,
        *,
        door: i.Door,
        started_us: int,
    ) -> tuple[Session, int] | None:
        parameters = {k: v for k, v in started.parameters.items() if k not in ("token", TENANT)}
        # What a page says of itself is its own invention; the carrier repeats what we told it.
        is_page = token.door == BROWSER
        tenant = DEFAULT_TENANT if is_page else started.parameters.get(TENANT, DEFAULT_TENANT)
        opened = e.CallOpened(
            call_sid=started.call_sid,
            account_sid=started.account_sid,
            parameters=parameters,
            direction=BROWSER if is_page else "inbound",
            tenant=self.tenants.known(tenant),
        )
        arrival = Arrival(
            socket=socket,
            stream_sid=started.stream_sid,
            door=door,
            opening=(e.encode(opened),),
            parameters=parameters,
            is_known=token.is_known,
            echoes=socket.echoes,
            is_fresh=token.is_fresh(started_us // 1_000),  # when it came: it has waited since
            started_us=started_us,
            done=asyncio.get_running_loop().create_future(),
        )
        return await self.switchboard.attach(started.call_sid, arrival)

    async def _door(self, started: s.Started, token: Token) -> i.Door | _Refusal:
        """Use the token up, and return the door by which the stream comes."""
        if self.switchboard.is_draining:
            return _Refusal("this server is going down", TRY_AGAIN)
        now_ms = self.clock.now_ms()
        try:
            spent = await self.journal.spend(
                started.call_sid,
                token.nonce,
                stream_sid=started.stream_sid,
                window_ms=REDIAL_WINDOW_MS,
                # A page asks for a token before each socket; a carrier dials anew with the one it has.
                uses_max=1 if token.door == BROWSER else REDIALS_MAX + 1,
                now_ms=now_ms,
            )
        except StoreError as trouble:
            self.meter.store.errors.inc()
            _log.error("! the store failed: %s", trouble, extra={"action": "store_failed"})
            return _Refusal("the store failed", TRY_AGAIN)
        if isinstance(spent, Unspendable):
            return _Refusal(f"the token was used: {spent.reason}")
        if spent.uses > 1:
            return "redial"
        is_first = token.door == "voice" or (token.door == BROWSER and not token.is_known)
        return "voice" if is_first else "resume"


def _pass_on(session: Session, epoch: int, event: s.StreamEvent, now_ms: int) -> None:
    if type(event) is s.Audio:  # as nearly all are: no match has to be made for it
        session.heard_audio(epoch, event.payload, now_ms)
        return
    match event:
        case s.Echoed():
            session.echoed(epoch, event.name)
        case s.KeyPressed():
            session.pressed(epoch, event.digit)
        case s.Started() | s.Stopped() | s.Audio():
            return


def _overhear(fork: Fork, event: s.StreamEvent, now_ms: int) -> None:
    if isinstance(event, s.Audio):
        lost_ms = sum(one.lost_ms for one in event.findings if isinstance(one, s.Lost))
        fork.hear(event.payload, lost_ms, now_ms)
