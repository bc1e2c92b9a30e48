"""Card numbers that must be nowhere: real sessions collect them, lose their stream amid them, and all is searched.

    python -m tests.cards [--numbers 10000] [--seed 1] [--store sqlite|redis] [--sink http|pay]

Each number (synthetic, right by its check digit) is keyed or said to a session of a running server, with a drop at
a random digit, once, or the star, or none; of every fourth the store is away meanwhile. Half of them meet a SQLite
file, half a real Valkey with its append-only log, saved after each. Then everything of tests/card_places.py is
searched: files, shelf, log at DEBUG, live events, long poll, pages, exports, metrics. Requirement S-12.

With `--sink pay` the carrier's stand-in collects them, by tests/cards_paid.py.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Literal

from service.call import acts as a, events as e
from tests.card_places import CALLER, WORDS, Ground, Kind, Watcher, counted, ground
from tests.cards_paid import paying
from tests.conftest import wait_until
from tests.session.house import CALL, Caller, House

ASK = a.Collect("Your card number, please.", "card", 13, 19, is_card=True)
AWAY = 4  # of so many numbers one meets a store that is away
OPENING = e.CallOpened(
    call_sid=CALL, from_number=CALLER, parameters={"client_name": "Ada", "ticket_id": "TKT-1"}
)


class Sink:
    """Takes every number, and remembers how many."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def take(
        self, number: str, *, field: str, call_sid: str, key: str
    ) -> tuple[Literal["taken", "refused", "failed"], str]:
        """See service/sink.py."""
        del field, call_sid, key
        self.taken.append(number)
        return "taken", f"tok_{len(self.taken)}"


def card(chance: random.Random) -> str:
    """Return a number of 16 digits with a right check digit."""
    row = "4" + "".join(str(chance.randrange(10)) for _ in range(14))
    doubled = (int(digit) * 2 for digit in row[::-2])
    total = sum(value - 9 * (value > 9) for value in doubled) + sum(map(int, row[-2::-2]))
    return f"{row}{-total % 10}"


class Till:
    """Where numbers are collected, one after the other, and looked for."""

    def __init__(self, place: Ground, chance: random.Random, *, tells: bool = False) -> None:
        """`tells`: it notes each number down where it must not, to see that it is found."""
        self._place = place
        self._chance = chance
        self._tells = tells
        self.sink = Sink()
        self.found: Counter[str] = Counter()

    async def take(self, number: str, turn: int) -> None:
        """Have a call collect a number, and count where it is found."""
        house = House(self._place.journal, sink=self.sink)
        house.agent.greeting = [a.Say("Hello.")]
        house.agent.script.append([ASK])
        caller = await house.connect(opening=(e.encode(OPENING),))
        await caller.is_told("Hello.")
        watcher = self._place.watched()
        caller.presses("1#")
        await asked(caller)
        with nullcontext() if turn % AWAY else self._place.away():
            if self._tells:
                await house.write(e.NoteAdded(text=number), key=f"note {turn}")
            await collect(house, caller, number, self._chance)
            self.found += counted(number, {"shelf": self._place.shelf()})
        await self._place.at_rest()
        await self._search(house, watcher, number)

    async def _search(self, house: House, watcher: Watcher, number: str) -> None:
        await watcher.saw("collection_ended")
        shown: dict[str, str | bytes] = {
            **await self._place.places(),
            "session's metrics": house.meter.text(),
            "session's carrier": repr(house.carrier.asked),
        }
        await house.close()
        await self._place.erase()
        await watcher.gone()
        live = {"live events": watcher.events, "long poll": watcher.polled}
        self.found += counted(number, {**shown, **live})


async def collect(house: House, caller: Caller, number: str, chance: random.Random) -> None:
    """Key or say the number, with a drop or a star in most of them, until it is taken."""
    cut = chance.randrange(1, 16)
    match chance.randrange(4):
        case 0:
            caller = await dropped(house, caller, number[:cut])
        case 1:
            caller.presses(f"{number[:cut]}*")
        case 2:
            await said(house, caller, number[:cut])
            caller = await dropped(house, caller, number[cut:15])
        case _:
            pass
    caller.presses(f"{number}#")
    await wait_until(lambda: "card" in caller.call.fields, description="the number is taken")


async def asked(caller: Caller) -> None:
    """Wait until the number is asked for."""
    await wait_until(
        lambda: caller.call.privacy.collection is not None, description="it is asked for"
    )


async def said(house: House, caller: Caller, digits: str) -> None:
    """Say some digits, and wait until they are counted."""
    house.speech.transcripts.append(" ".join(WORDS[int(digit)] for digit in digits))
    caller.says()
    await keyed(caller, len(digits))


async def dropped(house: House, caller: Caller, keys: str) -> Caller:
    """Press some keys, lose the stream, and come back."""
    one = caller.call.privacy.collection
    before = one.keys if one is not None else 0
    caller.presses(keys[: 15 - before])
    await keyed(caller, before + len(keys[: 15 - before]))
    await caller.has_dropped()
    back = await house.returns()
    await asked(back)
    return back


async def keyed(caller: Caller, count: int) -> None:
    """Wait until so many keys are counted."""

    def is_counted() -> bool:
        one = caller.call.privacy.collection
        return one is not None and one.keys >= count

    await wait_until(is_counted, description=f"{count} keys are counted")


async def run_at_carrier(
    numbers: int, seed: int, folder: Path, stores: Sequence[Kind]
) -> tuple[int, Counter[str]]:
    """Have the carrier collect so many numbers; see `run`."""
    chance, taken, found = random.Random(seed), 0, Counter[str]()
    for nth, kind in enumerate(stores):
        drawn = [card(chance) for _ in range(nth, numbers, len(stores))]
        async with paying(kind, folder / kind, chance) as desk:
            for turn, number in enumerate(drawn):
                await desk.take(number, turn)
            found += desk.found
            found += Counter({f"files of {kind} at the end": desk.place.left(drawn)})
        taken += desk.taken
    return taken, found


async def run(
    numbers: int, seed: int, folder: Path, stores: Sequence[Kind], *, tells: bool = False
) -> tuple[int, Counter[str]]:
    """Collect so many numbers and return how many were taken, and how often each place told of one."""
    chance, taken, found = random.Random(seed), 0, Counter[str]()
    for nth, kind in enumerate(stores):
        drawn = [card(chance) for _ in range(nth, numbers, len(stores))]
        async with ground(kind, folder / kind) as place:
            till = Till(place, chance, tells=tells)
            for turn, number in enumerate(drawn):
                await till.take(number, turn)
            found += till.found
            found += Counter({f"files of {kind} at the end": place.left(drawn)})
        taken += sum(number in till.sink.taken for number in drawn)
    return taken, found


def main() -> int:
    """Return 0 when every number was taken and none was found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--numbers", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--store", action="append", choices=["sqlite", "redis"])
    options.add_argument("--sink", default="http", choices=["http", "pay"])
    given = options.parse_args()
    stores = given.store or ["sqlite", "redis"]
    with tempfile.TemporaryDirectory() as folder:
        collect = run if given.sink == "http" else run_at_carrier
        taken, found = asyncio.run(collect(given.numbers, given.seed, Path(folder), stores))
    sys.stdout.write(f"{given.numbers} numbers, {taken} taken, found in {found.total()} places\n")
    sys.stdout.writelines(f"  {name}: {times}\n" for name, times in sorted(found.items()))
    return int(found.total() > 0 or taken < given.numbers)


if __name__ == "__main__":
    sys.exit(main())
