"""The fleet of one run: servers on their machines, the store, the exchange, the clocks, the chances.

Every part draws from a chance of its own, so that leaving one fault out changes little else.
"""

import asyncio
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from service import config as settings
from service.app import create_app
from service.call.state import Call, Turn
from service.clock import Clock
from service.config import Config
from service.journal.tailing import Bells
from service.journal.values import Appended, Outcome, Rebased
from service.parts import Own
from service.session.means import Sink
from service.speech.ear.endpoint import Endpointer
from service.testing.quick_ear import AnySound
from tests.simulation.brain import Box, Clerk, TextSpeech, Tools
from tests.simulation.exchange import ACCOUNT, PUBLIC_URL, Exchange, Handset, MemoryCarrier
from tests.simulation.loop import VirtualLoop
from tests.simulation.outlet import Outlet, Weather
from tests.simulation.plan import Plan
from tests.simulation.server import Server
from tests.simulation.store import Cabinet
from tests.simulation.witness import Witness

WALL_NS = 1_760_000_000_000_000_000  # any day
CONSENT = "I take notes of what you say."
TOKEN = "a token for an operator"
LATE_MS = 250  # what callers hear in so long is a clause or two

OnWait = Callable[[Server, str, int, Outcome], None]


@cache
def _config() -> Config:
    return settings.load(
        _env_file=None,
        public_url=PUBLIC_URL,
        twilio_account_sid=ACCOUNT.account_sid,
        twilio_auth_token=ACCOUNT.auth_token,
        twilio_api_url="https://api.example.com",
        store_url="redis://store.example.com",
        api_tokens=f"{TOKEN}:admin",
        drop_limit="900/60",
        transfer_to="+15550100",
        agent="intake",
    )


class Fleet:
    """Everything of one run, but what happens in it."""

    def __init__(self, plan: Plan, loop: VirtualLoop, folder: Path) -> None:
        self.plan = plan
        self.loop = loop
        self.skews_ms = list(plan.skews_ms)  # of each place's wall clock, as it is now
        self.clock = Clock(lambda: WALL_NS + loop.now_ns(), loop.now_ns)
        self.witness = Witness(self.clock)
        self.witness.secrets = plan.secrets
        self.sink: Sink | None = None
        self.on_thought: Callable[[Call, Turn], None] = lambda _call, _turn: None
        self.cabinet = Cabinet()
        self.weather = Weather(self._chance("store"))
        self.bells = Bells()
        self.tools = Tools(self._chance("tools"))
        self.exchange = Exchange(self.clock, self.balanced, self.witness, self._chance("carrier"))
        self.servers: list[Server] = []
        self.graves: list[Server] = []
        self.phones: list[Handset] = []
        self.may_talk: dict[str, Callable[[], bool]] = {}  # by call: whether its caller has agreed
        # A server crashed that could not tell the store what callers had heard.
        self.died_unheard = False
        self.unheard: set[str] = set()  # calls of which nobody could write that, see _watch
        self.erased: set[str] = set()
        self.tasks: list[asyncio.Task[Any]] = []
        self.on_wait: OnWait = _nothing
        self.folder = folder
        self._born = 0
        self._turns = self._chance("balancer")

    def _chance(self, what: str) -> random.Random:
        return random.Random(f"{what} {self.plan.seed}")

    def _clock(self, place: int) -> Clock:
        """Return the clock of a new process at a place: what its wall shows later must move nothing."""
        return Clock(
            lambda: WALL_NS + self.loop.now_ns() + self.skews_ms[place] * 1_000_000,
            self.loop.now_ns,
        )

    def ahead_ms(self, owner: str) -> int:
        """Return how far the clock of this process is ahead of the witness's."""
        means = (one.parts.means for one in (*self.servers, *self.graves))
        clock = next(one.clock for one in means if one.owner == owner)
        return clock.now_ms() - self.witness.now_ms()

    def balanced(self) -> Server | None:
        """Return the server that the next request goes to."""
        serving = [one for one in self.servers if one.is_serving]
        up = serving or [one for one in self.servers if one.is_up]
        return self._turns.choice(up) if up else None

    def made(self, place: int) -> Server:
        """Return a new server for a place, not yet started."""
        self._born += 1
        name = f"s{place}.{self._born}"
        outlet = Outlet(self.cabinet, self.weather, self.bells)
        own = Own(
            agent=Clerk(
                self.plan.seed,
                self._chance(f"agent {name}"),
                collects=self.plan.collects,
                on_thought=self.on_thought,
            ),
            speech=TextSpeech(self._chance(f"speech {name}")),  # type: ignore[arg-type] # all of it that is used
            endpointer=lambda: Endpointer(AnySound()),
            toolbox=Box(self.tools),  # type: ignore[arg-type] # all of it that is used
            clock=self._clock(place),
            engine=outlet,
            carrier=MemoryCarrier(self.exchange, self._chance(f"rest {name}")),
            sink=self.sink,
        )
        config = _config().model_copy(
            update={
                "write_behind": str(self.folder),
                "consent_text": CONSENT if self.plan.asks_consent else "",
                "collect_url": "https://till.example.com" if self.plan.collects else "",
                "collect_with": "pay" if self.plan.pays else "",
                "pay_security_code": False,
                "pay_postal_code": False,
            }
        )
        server = Server(name, create_app(config, own=own), outlet, self.loop)
        self._watch(server)
        return server

    def _watch(self, server: Server) -> None:
        """Hear of every acknowledgement that this server's writers get, and how long it took.

        Whose records have moved is to read them before it writes on. While the store keeps it waiting for
        that, what callers hear is written by nobody.
        """
        journal, append, read = (
            server.parts.journal,
            server.parts.journal.append,
            server.parts.journal.read,
        )
        moved_ms: dict[str, int] = {}

        async def watched(call_sid: str, bodies: Any, **named: Any) -> Any:
            begun_ms, stills = self.witness.now_ms(), server.stills
            outcome = await append(call_sid, bodies, **named)
            took_ms = self.witness.now_ms() - begun_ms
            if isinstance(outcome, Rebased):
                moved_ms.setdefault(call_sid, self.witness.now_ms())
            if isinstance(outcome, Appended):
                epoch = named["epoch"] or 0
                self.witness.acked(server.name, call_sid, named["key"], epoch, bodies, outcome)
            if named["epoch"] is not None and stills == server.stills:
                self.on_wait(server, call_sid, took_ms, outcome)
            return outcome

        async def watched_read(call_sid: str, **named: Any) -> Any:
            try:
                reading = await read(call_sid, **named)
            finally:
                now_ms = self.witness.now_ms()
                if now_ms - moved_ms.get(call_sid, now_ms) > LATE_MS:
                    self.unheard.add(call_sid)
            moved_ms.pop(call_sid, None)
            return reading

        journal.read = watched_read  # type: ignore[method-assign] # as below
        journal.append = watched  # type: ignore[method-assign] # who writes and what is answered is what we are here for

    async def started(self, place: int) -> None:
        """Start a server at a place."""
        server = self.made(place)
        if place < len(self.servers):
            self.servers[place] = server
        else:
            self.servers.append(server)
        await server.start()
        self.witness.note("started", server.name)

    def beside(self, work: Any) -> None:
        """Run something in the outside world."""
        self.tasks.append(self.loop.create_task(work))


def _nothing(_server: Server, _call_sid: str, _took_ms: int, _outcome: Outcome) -> None:
    return
