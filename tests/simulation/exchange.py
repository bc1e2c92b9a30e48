"""The carrier in memory: real courses of calls over the simulator, whose streams and webhooks touch no network.

What Twilio does stands in service/simulator; here are only its hands: a webhook is a call of the application,
a socket is a pair of queues, a frame lasts a tenth of a second, and the REST API is asked directly.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from datetime import UTC, datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote_plus

from twilio.base.exceptions import TwilioRestException
from typing_extensions import override

from service.audio import samples
from service.carrier import AT_ONCE_MAX, UPDATES_A_S, Carrier
from service.clock import Clock
from service.pace import Pace
from service.simulator import signing
from service.simulator.account import Account, Number, Terms, new_sid, socket_url
from service.simulator.card import Card
from service.simulator.order import Fetch, HangUp, Perform
from service.simulator.outbound import Rung
from service.simulator.phone import Phone
from service.simulator.streams.bridge import Bridge
from service.simulator.streams.carrier import Leg
from service.simulator.streams.handshake import BAD_HANDSHAKE, CONNECT_REFUSED
from service.simulator.streams.line import Ending, Line
from service.simulator.twiml.document import read
from service.simulator.twiml.markup import DocumentError
from service.simulator.twiml.verbs import Stream
from service.simulator.webhook import (
    REFUSED,
    TELL_MS_MAX,
    UNREACHABLE,
    UNREADABLE,
    Answer,
    Failure,
    Fields,
    Webhooks,
)
from service.trust.token import Token
from tests.simulation import wire
from tests.simulation.server import Server
from tests.simulation.witness import Witness

ACCOUNT = Account("AC" + "5" * 32, "the account's secret")
PUBLIC_URL = "https://calls.example.com"
SILENT_TICK_MS = 400  # of a caller who has been silent for SILENT_MS
SILENT_MS = 1_500
TICK_MS = (
    200  # what one frame of the caller's holds: ten of Twilio's, which any carrier may send at once
)
LATENCY_MS_MAX = 30
CLEAR_CHARS = 40  # of a message, where its event stands
NEW_MS_MAX = 1_000  # from a token's issue to its first stream; a second stream comes later

Balancer = Callable[[], Server | None]


_quoted = lru_cache(4_096)(quote_plus)  # the same few names and values come again and again


def _form(fields: Fields) -> bytes:
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in fields).encode()


class MemoryWebhooks(Webhooks):
    """Asks whichever server the balancer names."""

    def __init__(self, clock: Clock, balancer: Balancer, witness: Witness) -> None:
        self._account = ACCOUNT
        self._clock = clock
        self._balancer = balancer
        self._witness = witness
        self.chance = random.Random(0)

    @override
    async def close(self) -> None:
        return

    async def post(self, url: str, fields: Fields, token: str = "") -> wire.Answered:
        """Send a signed form. Raises ConnectionError."""
        sign = signing.signature(ACCOUNT.auth_token, signing.signed_url(url), fields)
        headers = {
            signing.HEADER: sign,
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "I-Twilio-Idempotency-Token": token,
        }
        await asyncio.sleep(self.chance.randint(1, LATENCY_MS_MAX) / 1_000)
        server = self._balancer()
        if server is None:
            raise ConnectionError("nobody is there")
        answered = await wire.ask(server, "POST", url, headers, _form(fields))
        self._witness.answered(url, answered.status, server.name)
        return answered

    @override
    async def _once(
        self, number: Number, url: str, fields: Fields, method: str, token: str
    ) -> Answer | Failure:
        try:
            answered = await self.post(url.partition("#")[0], fields, token)
        except ConnectionError as error:
            return Failure(url, UNREACHABLE, f"no connection: {error}")
        if answered.status not in range(200, 300):
            return Failure(url, REFUSED, f"HTTP {answered.status}")
        try:
            return Answer(url, read(answered.body))
        except DocumentError as error:
            return Failure(url, UNREADABLE, str(error))

    @override
    async def tell(self, number: Number, url: str, fields: Fields, method: str = "POST") -> int:
        try:
            async with asyncio.timeout(TELL_MS_MAX / 1_000):
                return (await self.post(url, fields)).status
        except (ConnectionError, TimeoutError):
            return 0


class SwiftLine(Line):
    """A line whose frames last TICK_MS."""

    witness: Witness
    server: Server
    clears_ms: list[int]

    @property
    def token(self) -> str:
        """What proves that the stream is of its call."""
        return self.leg._parameters.get("token", "")

    def seems_new(self) -> bool:
        """Whether it came with a token for new calls that had just been issued, by its server's clock.

        Such a token is as good as new where the clocks of two servers differ, or where a webhook was asked again.
        """
        clock, mint = self.server.parts.clock, self.server.parts.mint
        begun_ms = self.started_ms + clock.now_ms() - self._clock.now_ms()
        token = mint.read(self.token, self.leg.call_sid, now_ms=begun_ms)
        if not isinstance(token, Token) or token.door != "voice" or token.is_known:
            return False
        return abs(begun_ms - token.issued_ms) <= NEW_MS_MAX

    @override
    async def run(self) -> Ending:
        loop = asyncio.get_running_loop()
        spoken_ms = 0
        while self._ending is None:
            now_ms = self._clock.now_ms()
            is_silent = self._mouth.silent_from_ms() + SILENT_MS < now_ms
            tick_ms = SILENT_TICK_MS if is_silent else TICK_MS
            if now_ms >= self._stalled_until_ms:
                while self.started_ms + spoken_ms + tick_ms <= now_ms and self._ending is None:
                    at_ms = self.started_ms + spoken_ms
                    spoken_ms += tick_ms
                    sound = self._mouth.audio(at_ms, samples(tick_ms))
                    await self._send(self.leg.media(sound))
                await self._echo(now_ms)
            due_ms = max(self.started_ms + spoken_ms + tick_ms, self._stalled_until_ms)
            echo_ms = self.leg.deadline_ms()
            if echo_ms is not None and now_ms >= self._stalled_until_ms:
                due_ms = min(due_ms, max(echo_ms, now_ms + 1))
            timer = loop.call_later((due_ms - self._clock.now_ms()) / 1_000, self._woken)
            await self._wake.wait()
            self._wake.clear()
            timer.cancel()
        return self._ending

    def _woken(self) -> None:
        self._wake.set()

    @property
    def _wake(self) -> asyncio.Event:
        # The end of the line sets the same event, so that it is seen at once.
        return self._ended

    @override
    async def _send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except Exception:  # noqa: BLE001 - the reader sees the same end, and knows its code
            return

    @override
    def _receive(self, text: str | bytes, now_ms: int) -> None:
        if isinstance(text, str) and '"clear"' in text[:CLEAR_CHARS]:
            self.clears_ms.append(now_ms)
        self.leg.receive(text, now_ms)
        self.witness.frame(self, text, now_ms)


class SwiftBridge(Bridge):
    """The streams of one call, opened in memory."""

    balancer: Balancer
    witness: Witness

    @override
    async def _open(self, stream: Stream, against: str, stream_sid: str) -> Line | int:
        place = socket_url(stream.url, against)
        server = self.balancer()
        if server is None:
            return CONNECT_REFUSED
        connection = wire.Connection(server)
        sign = signing.signature(ACCOUNT.auth_token, place)
        try:
            async with asyncio.timeout(5):
                if not await connection.open(place, {signing.SOCKET_HEADER: sign}):
                    return BAD_HANDSHAKE
        except (ConnectionError, TimeoutError):
            connection.cut(1006)
            return CONNECT_REFUSED
        card = self._card
        leg = Leg(
            stream_sid,
            card.call_sid,
            ACCOUNT.account_sid,
            dict(stream.parameters),
            clear_echoes=card.terms.clear_echoes,
            echoes=card.terms.echoes,
        )
        line = SwiftLine(
            leg,
            connection,  # type: ignore[arg-type] # it has all that a line uses of a real one
            mouth=self._mouth,
            ear=self._ear,
            timeline=self._timeline,
            clock=self._clock,
            number=len(self.lines) + 1,
        )
        line.witness, line.server, line.clears_ms = self.witness, server, []
        before_ms = self.lines[-1].ended_ms if self.lines else 0
        self.lines.append(line)
        await line.open(before_ms)
        self._tell(stream, stream_sid, "stream-started", 0)
        return line


class Handset(Phone):
    """One caller's phone."""

    def __init__(
        self,
        card: Card,
        from_: str,
        webhooks: MemoryWebhooks,
        clock: Clock,
        balancer: Balancer,
        witness: Witness,
    ) -> None:
        super().__init__(card, from_=from_, to="+15550002", webhooks=webhooks, clock=clock)
        self._bridge = SwiftBridge(
            card,
            mouth=self.caller._mouth,
            ear=self.ear,
            timeline=self.timeline,
            clock=clock,
            tell=self._tell,
            spawn=self.spawn,
        )
        self._bridge.balancer, self._bridge.witness = balancer, witness
        self.timeline.listen(lambda event: witness.saw(card.call_sid, event))

    @property
    def server(self) -> Server | None:
        """Whom the caller hears, or heard last: the server that their newest stream came to."""
        newest = self.lines[-1] if self.lines else None
        return newest.server if isinstance(newest, SwiftLine) else None

    @property
    def failure(self) -> BaseException | None:
        """What went wrong inside the stand-in itself."""
        return self._failure


class Exchange:
    """All phones of the world, and the REST API that reaches them."""

    def __init__(
        self, clock: Clock, balancer: Balancer, witness: Witness, chance: random.Random
    ) -> None:
        self.phones: dict[str, Handset] = {}
        self.busy_answers = 0
        self.lost_answers = 0
        self.chance = chance
        self.webhooks = MemoryWebhooks(clock, balancer, witness)
        self.webhooks.chance = chance
        self._clock = clock
        self._balancer = balancer
        self._witness = witness

    def ring(
        self,
        call_sid: str,
        from_: str,
        terms: Terms,
        rung: Rung | None = None,
        *,
        is_doubled: bool = False,
    ) -> Handset:
        """Let a phone ring at the service."""
        number = Number(server_url=PUBLIC_URL)
        card = Card(account=ACCOUNT, number=number, terms=terms, call_sid=call_sid, rung=rung)
        phone = Handset(card, from_, self.webhooks, self._clock, self._balancer, self._witness)
        self.phones[call_sid] = phone
        phone.begin(is_doubled=is_doubled)
        return phone

    # The REST API.

    def ask(self, call_sid: str, work: Callable[[Handset], Any]) -> Any:
        """Do what a request asks for. Raises TwilioRestException."""
        if self.busy_answers:
            self.busy_answers -= 1
            raise TwilioRestException(429, "/Calls", "Too Many Requests", 20429)
        phone = self.phones.get(call_sid)
        if phone is None:
            raise TwilioRestException(404, "/Calls", "not found", 20404)
        answer = work(phone)
        if self.lost_answers:
            self.lost_answers -= 1
            raise TwilioRestException(503, "/Calls", "Service Unavailable", 20503)
        return answer

    def update(self, phone: Handset, wanted: Mapping[str, str]) -> Any:
        """Give a call an order."""
        is_end = wanted.get("status") == "completed"
        if phone.is_over or (phone.status != "in-progress" and not is_end):
            raise TwilioRestException(400, "/Calls", "Call is not in-progress.", 21220)
        self._witness.note("rest", phone.call_sid, " ".join(sorted(wanted)))
        if is_end:
            phone.order(HangUp("the service ended the call"))
        elif "twiml" in wanted:
            phone.order(Perform(read(wanted["twiml"])))
        else:
            phone.order(Fetch(wanted["url"], "POST"))
        return self.shown(phone)

    def shown(self, phone: Handset) -> Any:
        """Show a call as the API does."""
        return SimpleNamespace(
            sid=phone.call_sid,
            status=phone.status,
            direction=phone.card.direction,
            date_created=datetime.fromtimestamp(phone.created_ms / 1_000, UTC),
        )


class _Resource:
    """One call in the official client's words."""

    def __init__(self, exchange: Exchange, call_sid: str) -> None:
        self._exchange = exchange
        self._call_sid = call_sid

    def update(self, **wanted: str) -> Any:
        return self._exchange.ask(
            self._call_sid, lambda phone: self._exchange.update(phone, wanted)
        )

    def fetch(self) -> Any:
        return self._exchange.ask(self._call_sid, self._exchange.shown)


class _Calls:
    """The list of calls in the official client's words."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __call__(self, call_sid: str) -> _Resource:
        return _Resource(self._exchange, call_sid)

    def create(
        self, *, to: str, url: str, status_callback: str, timeout: int, **_named: str
    ) -> Any:
        if self._exchange.busy_answers:
            self._exchange.busy_answers -= 1
            raise TwilioRestException(429, "/Calls", "Too Many Requests", 20429)
        rung = Rung(url=url, status_url=status_callback, timeout_ms=1_000 * timeout)
        # A phone that rings rings on, whatever becomes of the machine that asked for it.
        phone = Context().run(self._exchange.ring, new_sid("CA"), to, Terms(), rung)
        if self._exchange.lost_answers:
            self._exchange.lost_answers -= 1
            raise TwilioRestException(503, "/Calls", "Service Unavailable", 20503)
        return self._exchange.shown(phone)

    def list(self, *, to: str, **_named: Any) -> Any:
        phones = reversed(self._exchange.phones.values())
        return [self._exchange.shown(one) for one in phones if one.card.rung and one.from_ == to]


class MemoryCarrier(Carrier):
    """The product's own carrier, with its patience, before the exchange in memory."""

    def __init__(self, exchange: Exchange, chance: random.Random) -> None:
        self._clients = [SimpleNamespace(calls=_Calls(exchange))]
        self._chance = chance
        self._wait_ms_first = 200
        self._threads = ThreadPoolExecutor(1)  # It is never given anything: see VirtualLoop.
        self._at_once = asyncio.Semaphore(AT_ONCE_MAX)
        self._pace = Pace(UPDATES_A_S)

    @override
    async def _ask(self, call_sid: str, ask: Any, **named: Any) -> Any:
        await asyncio.sleep(self._chance.randint(5, 80) / 1_000)
        answer = await super()._ask(call_sid, ask, **named)
        await asyncio.sleep(self._chance.randint(5, 80) / 1_000)
        return answer
