"""Small agents for the tests of the plugin."""

import json
from collections.abc import AsyncIterator

from service.call.acts import Act, Ask, Collect, HangUp, Say, UseTool
from service.call.state import Call, Turn


class Echo:
    """The README's agent."""

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        if turn.reason == "opening":
            name = call.parameters.get("client_name", "")
            yield Ask(f"Hello {name}, what can I do for you?", "wish")
        elif "bye" in turn.text.lower():
            yield Say("Goodbye.")
            yield HangUp()
        else:
            yield Say(f"You said: {turn.text}")


class TicketDesk:
    """Looks a ticket up, and tells what came of it."""

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        if turn.reason == "opening":
            yield Say("Ticket desk, hello.")
        elif turn.reason == "operation":
            told = [one for one in call.operations if one.operation in turn.operations]
            for one in told:
                found = json.loads(one.result) if one.status == "succeeded" else one.status
                yield Say(f"Your ticket is {found}.")
        else:
            yield Say("One moment please.")
            yield UseTool("find_ticket", {"ticket_id": call.parameters["ticket_id"]})


class Clumsy:
    """Greets, and stumbles over everything else."""

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        del call
        if turn.reason != "opening":
            raise RuntimeError("I stumbled")
        yield Say("Hello there.")


class Forgetful:
    """Remembers in itself what it should leave to the call."""

    def __init__(self) -> None:
        self.turns = 0

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        del call, turn
        self.turns += 1
        yield Say(f"This is turn {self.turns}.")


class Cashier:
    """Has a card collected, and tells what came of it."""

    async def reply(self, call: Call, turn: Turn) -> AsyncIterator[Act]:
        told = call.privacy.collected
        if turn.reason == "opening":
            yield Say("Cash desk, hello.")
        elif turn.reason == "collected" and told is not None:
            yield Say(f"Your card was {told.outcome.replace('_', ' ')}.")
        elif "bye" in turn.text.lower():
            yield HangUp()
        else:
            yield Collect("Please have your card ready.", "card", 13, 19, is_card=True)
