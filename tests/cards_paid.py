"""Card numbers that the carrier collects itself: real calls over its stand-in, and a real server that must know none.

Each number is keyed into `<Pay>`, after one of these: nothing, a slip, the stream's drop before it begins, keys that
come too early, a word of the API's that leads the call back. What is searched is the same as for our own sink.
"""

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

from service.call import acts as a
from service.call.state import Call
from service.simulator.account import Account, Pace, Terms
from service.simulator.exchange.exchange import Exchange
from service.simulator.phone import Phone
from service.simulator.streams import faults
from tests.card_places import CALLER, Ground, Kind, counted, ground
from tests.conftest import wait_until
from tests.session.house import CALL
from tests.session.parts import ScriptedAgent
from tests.web.front import ACCOUNT, PUBLIC_URL, SECRET

ASK = a.Collect("Your card number, please.", "card", 13, 19, is_card=True)
AWAY = 4  # of so many numbers one meets a store that is away
REST = "#1230123#94109#"  # its date, code and postcode
TERMS = Terms(pace=Pace(turn_ms=20, prompt_ms=50, connector_ms=10))


class CashDesk:
    """Where numbers are collected by the carrier, one after the other, and looked for."""

    def __init__(self, place: Ground, exchange: Exchange, chance: random.Random) -> None:
        self.taken = 0
        self.found: Counter[str] = Counter()
        self.place = place
        self._exchange = exchange
        self._chance = chance

    async def take(self, number: str, turn: int) -> None:
        """Have a call collect a number, and count where it is found."""
        phone = await self._exchange.call(from_=CALLER, call_sid=CALL, terms=TERMS)
        await wait_until(lambda: self._call() is not None, description="the call is held")
        watcher = self.place.watched()
        await self._comes_to_the_till(phone, number)
        is_away = not turn % AWAY
        with self.place.away() if is_away else nullcontext():
            await self._keyed(phone, number, is_away=is_away)
            self.found += counted(number, {"shelf": self.place.shelf()})
        await wait_until(lambda: phone.is_live, description="the stream is back")
        await self.place.at_rest()
        self.taken += 1
        await watcher.saw("collection_ended")
        self.found += counted(number, await self.place.places())
        await phone.hang_up()
        await self.place.erase()
        await watcher.gone()
        live = {"live events": watcher.events, "long poll": watcher.polled}
        self.found += counted(number, live)

    def _call(self) -> Call | None:
        session = self.place.front.parts.switchboard.find(CALL)
        return None if session is None else session.call

    async def _comes_to_the_till(self, phone: Phone, number: str) -> None:
        """Be asked for the number, perhaps with a drop, or with keys that come too early."""
        await wait_until(self._is_asked, description="it is asked for")
        match self._chance.randrange(3):
            case 0:
                await phone.harm(faults.parse("reset"))
            case 1:
                await keyed(phone, number[: self._chance.randrange(1, 16)])
            case _:
                pass
        await wait_until(lambda: phone.course.till is not None, description="the till")

    async def _keyed(self, phone: Phone, number: str, *, is_away: bool) -> None:
        """Key the number, perhaps after a slip, or after the till was left in the middle of it.

        While the store is away nobody is led back: the way back would wait for it.
        """
        half = number[: self._chance.randrange(1, 16)]
        slip = self._chance.randrange(3)
        if slip == 0:
            await keyed(phone, f"{half}#")
        elif slip == 1 and not is_away:
            await keyed(phone, half)
            old = phone.course.till
            await self.place.front.parts.carrier.redirect(CALL, f"{PUBLIC_URL}/twiml/resume")
            await wait_until(
                lambda: phone.course.till not in (None, old), description="another till"
            )
        await keyed(phone, f"{number}{REST}")
        await wait_until(self._is_taken, description="the number is taken")

    def _is_asked(self) -> bool:
        call = self._call()
        return call is not None and call.privacy.collection is not None

    def _is_taken(self) -> bool:
        call = self._call()
        return call is not None and "card" in call.fields


async def keyed(phone: Phone, keys: str) -> None:
    """Press keys, wherever they go."""
    for key in keys:
        await phone.press(key)


@asynccontextmanager
async def paying(kind: Kind, folder: Path, chance: random.Random) -> AsyncIterator[CashDesk]:
    """Start a server whose cards the carrier collects, and the carrier."""
    agent = ScriptedAgent()
    agent.greeting = [a.Say("Hello."), ASK]
    async with Exchange(Account(ACCOUNT, SECRET), terms=TERMS) as exchange:
        # One call after the other has the same name, which is no sign of a line that drops.
        more = {"collect_with": "pay", "twilio_api_url": exchange.api_url, "drop_limit": "900/60"}
        async with ground(kind, folder, agent, **more) as place:
            exchange.route(f"http://{place.host}", PUBLIC_URL)
            yield CashDesk(place, exchange, chance)
