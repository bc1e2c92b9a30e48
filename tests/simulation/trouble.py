"""What goes wrong in a run: each of the plan's faults, done to the fleet, and its healing."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from tests.simulation.brain import rendered
from tests.simulation.exchange import PUBLIC_URL, Handset
from tests.simulation.fleet import Fleet
from tests.simulation.people import People
from tests.simulation.plan import Fault
from tests.simulation.server import Server
from tests.simulation.strangers import Strangers

DRUM_MS = (1, 7, 20, 45, 110)  # between two keys
ALONE_MS = 100  # a fleet of one is back before the carrier's second attempt
SKEW_MS_MAX = 30_000  # of any wall clock: servers' clocks may be a minute apart


class Trouble:
    """Does the faults of a plan."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._is_healed = False
        self.people = People(fleet)
        strangers = Strangers(fleet)
        self._ways: dict[str, Callable[[Fault], Awaitable[None]]] = {
            "drop": self._drop,
            "say": self._say,
            "press": self._press,
            "drum": self._drum,
            "crash": self._crash,
            "freeze": self._freeze,
            "drain": self._drain,
            "slow": self._slow,
            "away": self._away,
            "refuse": self._refuse,
            "lose": self._lose,
            "fail_over": self._fail_over,
            "busy": self._busy,
            "lost_rest": self._lost_rest,
            "twice": self._twice,
            "stranger": strangers.come,
            "rubbish": strangers.write,
            "thief": strangers.steal,
            "api": self._api,
            "clock": self._clock,
            "sit": self.people.sit,
            "transfer": self.people.transfer,
            "ring_back": self.people.ring_back,
            "note": self.people.note,
        }

    async def come(self, fault: Fault) -> None:
        """Wait for the fault's time, and do it."""
        await asyncio.sleep(fault.at_ms / 1_000)
        if not self._is_healed:
            self._fleet.witness.note(
                "fault", fault.kind, f"{fault.whom} {fault.lasts_ms} {fault.way}"
            )
            await self._ways[fault.kind](fault)

    async def heal(self) -> None:
        """Let everything be well again, and stay so."""
        self._is_healed = True
        weather = self._fleet.weather
        weather.slow_ms = 0
        weather.is_away = weather.is_refusing = weather.loses_answers = False
        self._fleet.exchange.busy_answers = self._fleet.exchange.lost_answers = 0
        for server in self._fleet.servers:
            server.thaw()
        self._fleet.beside(self.people.leave())

    def _phone(self, fault: Fault) -> Handset | None:
        phones = self._fleet.phones
        return phones[fault.whom] if fault.whom < len(phones) else None

    async def _drop(self, fault: Fault) -> None:
        if phone := self._phone(fault):
            await phone.caller.drop(fault.way)

    async def _say(self, fault: Fault) -> None:
        if (phone := self._phone(fault)) and not phone.is_over:
            phone.caller.say(bytes(rendered(fault.way)))

    async def _press(self, fault: Fault) -> None:
        phone = self._phone(fault)
        if phone is None or phone.is_over or not self._fleet.may_talk[phone.call_sid]():
            return  # A key that gives consent is pressed by who then has nothing more to hide.
        await phone.caller.press(fault.way)

    async def _drum(self, fault: Fault) -> None:
        """Press keys as a machine does: much faster than anybody is answered, and into every answer's first sound."""
        chance = random.Random(f"drum {self._fleet.plan.seed} {fault.at_ms}")
        phone, left_ms = self._phone(fault), fault.lasts_ms
        while phone is not None and not phone.is_over and left_ms > 0:
            if self._fleet.may_talk[phone.call_sid]():
                await phone.press(chance.choice(fault.way))
            gap_ms = chance.choice(DRUM_MS)
            await asyncio.sleep(gap_ms / 1_000)
            left_ms -= gap_ms

    # Servers.

    def _others(self, server: Server) -> bool:
        return any(one.is_serving for one in self._fleet.servers if one is not server)

    async def _crash(self, fault: Fault) -> None:
        server = self._fleet.servers[fault.whom]
        if not server.is_up:
            return
        is_alone = not self._others(server)
        self._fleet.died_unheard |= not self._fleet.weather.is_fair
        server.die()
        self._fleet.graves.append(server)
        self._fleet.witness.note("died", server.name)
        await asyncio.sleep((ALONE_MS if is_alone else fault.lasts_ms) / 1_000)
        await self._fleet.started(fault.whom)

    async def _freeze(self, fault: Fault) -> None:
        server = self._fleet.servers[fault.whom]
        if not server.is_serving:
            return
        lasts_ms = fault.lasts_ms if self._others(server) else min(fault.lasts_ms, 2_500)
        server.freeze()
        await asyncio.sleep(lasts_ms / 1_000)
        server.thaw()

    async def _drain(self, fault: Fault) -> None:
        server = self._fleet.servers[fault.whom]
        if not server.is_serving or server.machine.is_still:
            return
        if not self._others(server):
            return
        await server.leave(lambda: self._others(server))
        self._fleet.witness.note("left", server.name)
        if self._fleet.servers[fault.whom] is server:
            self._fleet.graves.append(server)
            await self._fleet.started(fault.whom)

    async def _clock(self, fault: Fault) -> None:
        """The wall clock of a machine is set: the process that runs there goes on, the next one goes by it."""
        skews_ms = self._fleet.skews_ms
        jumped_ms = skews_ms[fault.whom] + int(fault.way)
        skews_ms[fault.whom] = min(SKEW_MS_MAX, max(-SKEW_MS_MAX, jumped_ms))

    # The store.

    async def _slow(self, fault: Fault) -> None:
        self._fleet.weather.slow_ms = int(fault.way)
        await asyncio.sleep(fault.lasts_ms / 1_000)
        self._fleet.weather.slow_ms = 0

    async def _away(self, fault: Fault) -> None:
        self._fleet.weather.is_away = True
        await asyncio.sleep(fault.lasts_ms / 1_000)
        self._fleet.weather.is_away = False

    async def _refuse(self, fault: Fault) -> None:
        self._fleet.weather.is_refusing = True
        await asyncio.sleep(fault.lasts_ms / 1_000)
        self._fleet.weather.is_refusing = False

    async def _lose(self, fault: Fault) -> None:
        self._fleet.weather.loses_answers = True
        await asyncio.sleep(fault.lasts_ms / 1_000)
        self._fleet.weather.loses_answers = False

    async def _fail_over(self, _fault: Fault) -> None:
        """The replica takes over: what it did not have is lost, and so is every connection."""
        lost = self._fleet.cabinet.fail_over()
        self._fleet.weather.era += 1
        self._fleet.bells.ring_all()
        self._fleet.witness.note("failover", "store", f"{lost} writes lost")

    # The carrier and the people around.

    async def _busy(self, fault: Fault) -> None:
        self._fleet.exchange.busy_answers = fault.lasts_ms

    async def _lost_rest(self, fault: Fault) -> None:
        self._fleet.exchange.lost_answers = fault.lasts_ms

    async def _twice(self, fault: Fault) -> None:
        """A webhook is delivered once more, late, with nobody who obeys its answer."""
        phone = self._phone(fault)
        if phone is None or phone.is_over:
            return
        fields = [*phone.card.fields(phone.from_, phone.to), ("CallStatus", phone.status)]
        for path in ("/twiml/voice", "/twiml/resume")[: fault.lasts_ms]:
            await self._fleet.exchange.webhooks.tell(
                phone.card.number, f"{PUBLIC_URL}{path}", fields
            )

    async def _api(self, fault: Fault) -> None:
        """A person asks for something by the API."""
        phone = self._phone(fault)
        bodies = {
            "say": {"text": "A person says hello to you."},
            "note": {"text": "A note of a person."},
            "digits": {"digits": "12"},
        }
        if phone is not None and not phone.is_over:
            await self.people.act(phone, fault.way, bodies.get(fault.way, {}))
