"""A store with calls of a server that is gone, and servers that look after them, on a clock of the test's."""

import random
from collections.abc import Sequence
from dataclasses import replace

from typing_extensions import override

from service.call import events as e
from service.call.state import Call
from service.clock import Clock
from service.journal.journal import Journal
from service.journal.values import Appended, Missing
from service.session.kept.ledger import LEASE_MS
from service.session.kept.records import rebuilt
from service.switchboard.reconciler import Reconciler
from tests.session.house import CALL, House

START_MS = 1_700_000_000_000


class Hands:
    """A clock that a test moves, shared by all servers."""

    def __init__(self) -> None:
        self.now_ms = START_MS


class Fixed(Clock):
    """A clock that shows what the hands say."""

    def __init__(self, hands: Hands, ahead_ms: int = 0) -> None:
        super().__init__(lambda: 0, lambda: 0)
        self._hands = hands
        self._ahead_ms = ahead_ms

    @override
    def now_ms(self) -> int:
        return self._hands.now_ms + self._ahead_ms


class Server:
    """A server that watches, with nothing else to do."""

    def __init__(self, journal: Journal, hands: Hands, owner: str, ahead_ms: int = 0) -> None:
        self.house = House(journal, owner=owner, clock=Fixed(hands, ahead_ms))
        self.carrier = self.house.carrier
        means = replace(self.house.means, chance=random.Random(1))
        self.reconciler = Reconciler(means, self.house.switchboard)

    async def look(self) -> None:
        """Look once, and have done what follows."""
        await self.reconciler.look()
        await self.house.tasks.rest()

    def redirects(self) -> int:
        return len(self.carrier.asked_for("redirect"))

    def meter(self, name: str) -> int:
        shown = self.house.meter.text().decode()
        return int(float(shown.split(f"\nstayline_{name}_total ")[1].split("\n")[0]))


class Ruin:
    """A store with calls of a server that is gone, and the servers that live."""

    def __init__(self, journal: Journal, hands: Hands) -> None:
        self.journal = journal
        self.hands = hands
        self.servers: list[Server] = []

    def server(self, owner: str = "here", ahead_ms: int = 0) -> Server:
        server = Server(self.journal, self.hands, owner, ahead_ms)
        self.servers.append(server)
        return server

    async def opened(self, call_sid: str = CALL) -> None:
        fact = e.encode(e.CallOpened(call_sid=call_sid))
        await self.journal.open(call_sid, (fact,), now_ms=self.hands.now_ms)

    async def held(self, call_sid: str = CALL, *facts: e.Known, owner: str = "gone") -> None:
        """A stream took the call on a server that is then gone."""
        await self.opened(call_sid)
        now_ms = self.hands.now_ms
        claim = await self.journal.claim(
            call_sid, (), owner=owner, until_ms=now_ms + LEASE_MS, now_ms=now_ms
        )
        attached = e.StreamAttached(stream_sid="MZ1", cause="new", gap_ms=0, server=owner)
        await self.written((attached, *facts), call_sid, epoch=getattr(claim, "epoch", 0))

    async def written(
        self, facts: Sequence[e.Known], call_sid: str = CALL, *, epoch: int | None = None
    ) -> None:
        key, now_ms = f"{facts}"[:200], self.hands.now_ms
        bodies = tuple(map(e.encode, facts))
        outcome = await self.journal.append(
            call_sid, bodies, epoch=epoch, after=None, key=key.translate({123: "", 125: ""}), now_ms=now_ms
        )  # fmt: skip
        assert isinstance(outcome, Appended)

    async def call(self, call_sid: str = CALL) -> Call:
        reading = await self.journal.read(call_sid)
        assert not isinstance(reading, Missing)
        return rebuilt(None, reading.records)

    async def kinds(self, call_sid: str = CALL) -> list[str]:
        reading = await self.journal.read(call_sid)
        assert not isinstance(reading, Missing)
        return [type(e.decode(record.body)).__name__ for record in reading.records]

    async def lapses(self, after_ms: int = LEASE_MS) -> None:
        self.hands.now_ms += after_ms

    async def is_looked_after(self) -> bool:
        """Whether anybody would still look after the call, if only later."""
        return bool(await self.journal.lapsed(now_ms=self.hands.now_ms + 10**7, limit=1))
