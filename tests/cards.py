"""Card numbers that must be nowhere: real sessions collect them, lose their stream amid them, and all is searched.

    python -m tests.cards [--numbers 10000] [--seed 1]

Each number (synthetic, right by its check digit) is keyed or said to a session on a SQLite file, with a drop at a
random digit, once, or the star, or none. Then the file, its log, everything logged at DEBUG, and what API,
timeline and export show are searched for the number, its beginning and its end. Requirement S-12.
"""

import argparse
import asyncio
import io
import json
import logging
import random
import sys
import tempfile
from pathlib import Path
from typing import Literal

from service import logs
from service.call import acts as a, events as e
from service.call.place import Place
from service.call.shown.view import record_view, view
from service.journal.stores import connect
from service.journal.values import Missing
from tests.conftest import wait_until
from tests.session.house import CALL, Caller, House

TELLING = 8  # digits in a row: fewer would be found by chance in times and audio positions
ASK = a.Collect("Your card number, please.", "card", 13, 19, is_card=True)
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


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


async def collect(house: House, number: str, chance: random.Random) -> str:
    """Have one call collect the number, and return all that is shown of it."""
    caller = await house.connect()
    await caller.is_told("Hello.")
    caller.presses("1#")
    await asked(caller)
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
    shown = await everything(house, caller)
    await house.close()
    return shown


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


async def everything(house: House, caller: Caller) -> str:
    """Return what the API shows of the call and its records."""
    reading = await house.journal.read(CALL)
    assert not isinstance(reading, Missing)
    records = [
        record_view(e.decode(one.body), Place(one.position, one.epoch, one.at_ms))
        for one in reading.records
    ]
    return json.dumps([records, view(caller.call, incarnation="i")])


def hits(number: str, text: str) -> bool:
    """Whether the number, its beginning or its end is in a text."""
    return number[:TELLING] in text or number[-TELLING:] in text


def files(folder: Path) -> str:
    """Return what stands in the database's files."""
    return b"".join(path.read_bytes() for path in folder.iterdir()).decode(errors="replace")


async def run(numbers: int, seed: int, folder: Path) -> tuple[int, int]:
    """Collect so many numbers and return how many were taken, and how many were found anywhere."""
    chance, log = random.Random(seed), io.StringIO()
    told = logging.StreamHandler(log)
    told.setFormatter(logs.JsonLines())
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(told)
    root.setLevel(logging.DEBUG)
    journal = connect(f"sqlite:///{folder}/cards.db", ttl_ms=1_800_000)
    await journal.start()
    sink, drawn, found = Sink(), [card(chance) for _ in range(numbers)], 0
    try:
        for number in drawn:
            house = House(journal, sink=sink)
            house.agent.greeting = [a.Say("Hello.")]
            house.agent.script.append([ASK])
            found += hits(number, await collect(house, number, chance))
            found += hits(number, files(folder) + log.getvalue())
            log.seek(0)
            log.truncate()
            await journal.erase(CALL)
    finally:
        await journal.close()
        root.removeHandler(told)
        root.setLevel(level)
    return sum(number in sink.taken for number in drawn), found


def main() -> int:
    """Return 0 when every number was taken and none was found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--numbers", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        taken, found = asyncio.run(run(given.numbers, given.seed, Path(folder)))
    sys.stdout.write(f"{given.numbers} numbers, {taken} taken, found in {found} places\n")
    return int(found > 0 or taken < given.numbers)


if __name__ == "__main__":
    sys.exit(main())
