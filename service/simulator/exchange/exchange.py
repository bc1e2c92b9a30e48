"""The telephone exchange: an account's live calls, and the REST API that the service reaches them by.

    async with Exchange(account) as exchange:              exchange.api_url -> the service's TWILIO_API_URL
        exchange.route("http://127.0.0.1:8000")
        phone = await exchange.call(from_="+15550001")

It runs in the caller's own event loop; leaving the block ends every call and closes every socket.
"""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import httpx2
import msgspec
import uvicorn
from typing_extensions import override

from service.clock import Clock
from service.errors import ConfigError
from service.simulator.account import Account, Number, Terms, new_sid
from service.simulator.answering import Party
from service.simulator.card import Card
from service.simulator.exchange.numbers import Numbers
from service.simulator.exchange.rest import Desk
from service.simulator.outbound import Wanted
from service.simulator.phone import Phone
from service.simulator.webhook import Webhooks

HOST = "127.0.0.1"  # a stand-in is for this machine only
CALLS_MAX = 10_000  # far beyond what one machine can carry
STOP_S_MAX = 2  # the REST server's connections get this long at the end


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ending = asyncio.Event()

    @override
    async def main_loop(self) -> None:
        # uvicorn's own loop looks ten times a second whether it should end; ours is told.
        await self.ending.wait()

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals belong to the program around us.
        yield


class Exchange:
    """A stand-in for Twilio. `rest_port` 0 takes any free port; `transport` moves its webhooks."""

    def __init__(
        self,
        account: Account,
        *,
        server_url: str = "",
        public_url: str = "",
        rest_port: int = 0,
        terms: Terms | None = None,
        clock: Clock | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.account = account
        self.terms = terms or Terms()
        self.clock = clock or Clock()
        self.phones: dict[str, Phone] = {}
        self.numbers = Numbers()
        self._number = Number(server_url=server_url, public_url=public_url)
        self._rest_port = rest_port
        self._desk = Desk(account, self.phones, self._ring, self.numbers, self.clock)
        self._parties: dict[str, deque[Party]] = {}
        self._webhooks = Webhooks(account, self.clock, transport)
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._socket: socket.socket | None = None

    @property
    def api_url(self) -> str:
        """Return the root of the REST API, as the service's TWILIO_API_URL wants it."""
        assert self._socket is not None, "the exchange is open inside its `async with` only"
        return f"http://{HOST}:{self._socket.getsockname()[1]}"

    def route(self, server_url: str, public_url: str = "") -> None:
        """Hand the calls that come from now on to this server."""
        self._number = Number(server_url=server_url, public_url=public_url)

    def answer_busy(self, times: int) -> None:
        """Answer the next REST requests with 429, code 20429."""
        self._desk.busy_answers = times

    async def call(
        self,
        *,
        from_: str = "+15550001",
        to: str = "+15550002",
        call_sid: str = "",
        terms: Terms | None = None,
        is_doubled: bool = False,
    ) -> Phone:
        """Let a phone ring at the service; returns at once. `is_doubled` asks the first webhook twice.

        A number that the account has bought rings where it points to; any other one where `route` says.
        """
        assert self._number.server_url, "say where the service listens: route(server_url)"
        line = self.numbers.find(to)
        routed = self._number
        number = line.leads(routed.server_url, routed.public_url) if line else routed
        card = Card(
            account=self.account,
            number=number,
            terms=terms or self.terms,
            call_sid=call_sid or new_sid("CA"),
            api_url=self.api_url,
        )
        return self._begun(card, from_, to, is_doubled=is_doubled)

    def expect(self, number: str, *parties: Party) -> None:
        """Say how a number answers when the service rings it, time after time; then as `terms` say."""
        self._parties[number] = deque(parties)

    def rung(self, number: str) -> list[Phone]:
        """Return the phones that the service rang at this number, oldest first."""
        return [one for one in self.phones.values() if one.card.rung and one.to == number]

    async def _ring(self, wanted: Wanted) -> Phone:
        parties = self._parties.get(wanted.to)
        party = parties.popleft() if parties else self.terms.party
        card = Card(
            account=self.account,
            number=self._number,
            terms=self.terms,
            call_sid=new_sid("CA"),
            api_url=self.api_url,
            rung=msgspec.structs.replace(wanted.rung, party=party),
        )
        return self._begun(card, wanted.from_, wanted.to)

    def _begun(self, card: Card, from_: str, to: str, *, is_doubled: bool = False) -> Phone:
        assert len(self.phones) < CALLS_MAX, "the exchange is full"
        phone = Phone(card, from_=from_, to=to, webhooks=self._webhooks, clock=self.clock)
        self.phones[phone.call_sid] = phone
        phone.begin(is_doubled=is_doubled)
        return phone

    async def __aenter__(self) -> Self:
        self._socket = _listening(self._rest_port)
        settings = uvicorn.Config(
            self._desk.app(),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=STOP_S_MAX,
        )
        self._server = _Server(settings)
        serving = self._server.serve(sockets=[self._socket])
        self._serving = asyncio.get_running_loop().create_task(serving)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.gather(*(phone.release() for phone in self.phones.values()))
        await self._webhooks.close()
        assert self._server is not None
        assert self._serving is not None
        self._server.ending.set()
        await asyncio.wait({self._serving}, timeout=STOP_S_MAX + 1)
        self._serving.cancel()


def _listening(port: int) -> socket.socket:
    # With the protocol named, asyncio sets TCP_NODELAY; without it, every answer waits 40 ms for an ACK.
    ours = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        ours.bind((HOST, port))
        ours.listen()
    except OSError as error:
        ours.close()
        raise ConfigError(f"the REST port {port} can't be used: {error.strerror}") from error
    return ours
