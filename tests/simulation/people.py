"""People at the API: they sit in the agent's place, put callers through, have them rung back."""

import asyncio
import json
from typing import Any

from service.call.seat import Seat
from tests.simulation import wire
from tests.simulation.exchange import PUBLIC_URL, Handset
from tests.simulation.fleet import TOKEN, Fleet
from tests.simulation.folds import Folds
from tests.simulation.plan import Fault

LOOK_MS = 1_000  # between two looks of who is to leave at whether anybody has a place yet
ENDED_LOOKS_MAX = 20
HUMAN = "+15550100"


class People:
    """Does what people do, by the API of whichever server the balancer names."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._has_left = False
        self._folds = Folds()
        self.rings_asked: dict[str, int] = {}  # by the number that is to be rung

    async def act(self, phone: Handset, act: str, body: dict[str, Any]) -> int:
        """Ask for something; return the status, 0 when no answer came."""
        server = self._fleet.balanced()
        if server is None:
            return 0
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        url = f"{PUBLIC_URL}/api/calls/{phone.call_sid}/{act}"
        try:
            answered = await wire.ask(server, "POST", url, headers, json.dumps(body).encode())
        except ConnectionError:
            return 0
        self._fleet.witness.note("api", phone.call_sid, f"{act} {answered.status}")
        is_clear = answered.status < 500 or answered.status == 503
        self._fleet.witness.check(10, is_clear, f"the API answered {answered.status}")
        return answered.status

    def _phone(self, fault: Fault) -> Handset | None:
        phones = self._fleet.phones
        phone = phones[fault.whom] if fault.whom < len(phones) else None
        return None if phone is None or phone.is_over else phone

    def _seen(self, phone: Handset) -> Seat | None:
        """Return who has the agent's place in a call, as a page would show it."""
        row = self._fleet.cabinet.state.rows.get(phone.call_sid)
        return self._folds.of(phone.call_sid, row.records).taken_over if row else None

    async def sit(self, fault: Fault) -> None:
        """Take the agent's place for a while, from whom one sees there if one is Ben."""
        phone, name = self._phone(fault), fault.way
        if phone is None:
            return
        held = self._seen(phone) if name == "ben" else None
        seat = {"seat": f"{name}-{fault.at_ms}"}
        asked = {"by": name, "from_seat": held.seat if held else None, **seat}
        if await self.act(phone, "takeover", asked) != 202:
            return
        line = {"text": f"Here is {name}.", **seat}
        for act, body in (("say", line), ("takeover", {"by": name, **seat}), ("handback", seat)):
            await asyncio.sleep(fault.lasts_ms / 3_000)
            if self._has_left or phone.is_over:
                return
            await self.act(phone, act, body)

    async def leave(self) -> None:
        """Let whoever still has a place hand it back, as long as the run lasts."""
        self._has_left = True
        while True:
            for phone in tuple(self._fleet.exchange.phones.values()):
                held = None if phone.is_over else self._seen(phone)
                if held is not None and not held.is_leaving:
                    await self.act(phone, "handback", {"seat": held.seat})
            await asyncio.sleep(LOOK_MS / 1_000)

    async def transfer(self, fault: Fault) -> None:
        """Put the caller through to a human, who answers or does not."""
        phone = self._phone(fault)
        if phone is not None:
            await self.act(phone, "transfer", {"to": HUMAN})

    async def note(self, fault: Fault) -> None:
        """Leave a note with the call."""
        phone = self._phone(fault)
        if phone is not None:
            await self.act(phone, "notes", {"text": f"A note at {fault.at_ms}."})

    async def ring_back(self, fault: Fault) -> None:
        """The caller hangs up, and somebody has them rung."""
        phone = self._phone(fault)
        if phone is None:
            return
        await phone.hang_up()
        for _ in range(ENDED_LOOKS_MAX):
            await asyncio.sleep(LOOK_MS / 1_000)
            status = await self.act(phone, "callback", {})
            if status == 202:
                asked = self.rings_asked.get(phone.from_, 0)
                self.rings_asked[phone.from_] = asked + 1
            if status in (202, 404) or self._has_left:
                return
