"""What is private in a run: callers who are asked whether they may be written down, and card numbers.

A caller with `Discretion` answers when they are asked, keys or says their number when it is collected, and begins
again when they are told to. They go by what they hear, of which the store learns only after an outage.
What they say before their yes, and every digit of the number, must be nowhere:
not in a record, a log, a file, a metric, a turn of the agent's, nor in what the API shows. Rule 8.
"""

import asyncio
import random
from collections import Counter
from typing import Literal

from service.call import events as e
from service.call.privacy import Collection, Privacy
from service.call.state import Call, Turn
from service.simulator.till import Till as CarriersTill
from tests.simulation.brain import rendered
from tests.simulation.exchange import Handset
from tests.simulation.fleet import Fleet
from tests.simulation.folds import Folds
from tests.simulation.hearing import lost_facts
from tests.simulation.plan import Plan
from tests.simulation.witness import Told, Witness

LOOK_MS = 250  # between two looks of a caller at what is asked
KEY_MS = 150  # between two keys
AGAIN_MS = 9_000  # who was not heard answers again
THINK_MS = 1_200  # a question is heard before it is answered
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def is_agreed(told: list[Told]) -> bool:
    """Whether the newest word on consent is the yes."""
    kinds = e.ConsentAsked | e.ConsentGiven | e.ConsentDeclined
    return any(isinstance(one.fact, e.ConsentGiven) for one in told) and isinstance(
        next((one.fact for one in reversed(told) if isinstance(one.fact, kinds)), None),
        e.ConsentGiven,
    )


def is_collecting(told: list[Told]) -> bool:
    """Whether a number is being collected."""
    kinds = e.CollectionBegan | e.CollectionEnded
    last = next((one.fact for one in reversed(told) if isinstance(one.fact, kinds)), None)
    return isinstance(last, e.CollectionBegan)


class Discreet:
    """Judges what is written, while somebody's words are private."""

    def __init__(self, plan: Plan, witness: Witness) -> None:
        self._plan = plan
        self._witness = witness

    def judge(self, sid: str, fact: e.AnyFact, before: list[Told], body: bytes) -> None:
        """A fact was written behind `before`."""
        if not self._plan.secrets:
            return
        seen = [one for one in self._plan.secrets if one.encode() in body]
        self._witness.check(8, not seen, f"{sid}: {type(fact).__name__} tells {seen}")
        if _said(fact) and self._plan.asks_consent:
            self._witness.check(8, is_agreed(before), f"{sid}: {fact} before the caller's yes")
        if _said(fact) and not _was_told(fact, before):
            self._witness.check(8, not is_collecting(before), f"{sid}: {fact} under seal")

    def thought(self, call: Call, turn: Turn) -> None:
        """The agent is asked."""
        told = f"{call} {turn}" if self._plan.secrets else ""
        seen = [one for one in self._plan.secrets if one in told]
        self._witness.check(8, not seen, f"{call.call_sid}: the agent is told {seen}")


def _said(fact: e.AnyFact) -> str:
    """Return what a fact tells of the caller's own words and keys."""
    match fact:
        case e.CallerSpoke() | e.CallerPartlyHeard():
            return fact.text
        case e.DigitPressed():
            return fact.digit
        case e.DigitsEntered():
            return fact.digits
        case _:
            return ""


def _was_told(fact: e.AnyFact, before: list[Told]) -> bool:
    """Whether these are words that a crash cut off, told again as they were written before anything was sealed."""
    began = max(
        (at for at, one in enumerate(before) if isinstance(one.fact, e.CollectionBegan)), default=0
    )
    return (
        isinstance(fact, e.CallerSpoke)
        and fact.partial
        and any(
            isinstance(one.fact, e.CallerPartlyHeard) and one.fact.text == fact.text
            for one in before[:began]
        )
    )


class Till:
    """Where the numbers go. See session.means.Sink."""

    def __init__(self, chance: random.Random, witness: Witness) -> None:
        self._chance = chance
        self._witness = witness
        self._keys = Counter[str]()

    async def take(
        self, number: str, *, field: str, call_sid: str, key: str
    ) -> tuple[Literal["taken", "refused", "failed"], str]:
        """Take a number, or do not."""
        self._keys[key] += 1
        self._witness.check(8, field == "card" and len(number) in range(13, 20), "no such number")
        await asyncio.sleep(self._chance.choice((0.02, 0.2, 1.5)))
        outcome: Literal["taken", "refused", "failed"] = self._chance.choice(
            ("taken", "taken", "taken", "refused", "failed")
        )
        self._witness.note("till", call_sid, outcome)
        return outcome, f"tok_{len(self._keys)}" if outcome == "taken" else ""

    def judge(self) -> None:
        """No number was passed on twice.

        But by a server that was cut off while another had the call, and then under the same key: a sink honours it.
        """
        for key, count in self._keys.items():
            call_sid, collection, _ = key.split(":")
            lost = (fact for one in self._witness.told[call_sid] for fact in lost_facts(one))
            apart = sum(
                isinstance(fact, e.CollectionPassed) and fact.collection == collection
                for fact in lost
            )
            why = f"{call_sid}: {key} is passed on {count} times, {apart} of them apart"
            self._witness.check(3, count <= 1 + apart, why)


class Discretion:
    """One caller, who answers what is asked."""

    def __init__(self, fleet: Fleet, phone: Handset, number: int) -> None:
        self._fleet = fleet
        self._phone = phone
        self._plan = fleet.plan.calls[number]
        self._chance = random.Random(f"caller {fleet.plan.seed} {number}")
        self._folds = Folds()
        self._answered: tuple[int, int] = (0, 0)
        self._keyed: tuple[str, int, int] = ("", 0, 0)
        self._answers = 0

    async def answer(self) -> None:
        """Answer until the phone is hung up."""
        while not self._phone.is_over:
            await asyncio.sleep(LOOK_MS / 1_000)
            privacy, now_ms = self._privacy(), self._fleet.witness.now_ms()
            if (till := self._phone.course.till) is not None:
                await self._at_till(till)
                continue
            if privacy.consent == "asked" and self._is_due(privacy.asks, now_ms):
                self._answered = privacy.asks, now_ms
                await self._consent()
            elif privacy.collection is not None and self._is_wanted(privacy.collection, now_ms):
                one = privacy.collection
                self._keyed = one.collection, one.rounds, now_ms
                await self._number(one)

    def may_talk(self) -> bool:
        """Whether the caller has agreed, as far as they are asked at all."""
        return not self._fleet.plan.asks_consent or self._privacy().consent == "given"

    def _privacy(self) -> Privacy:
        """Return what the session that the caller hears knows; what the store has, where there is none."""
        call_sid, server = self._phone.call_sid, self._phone.server
        session = server and server.parts.switchboard._sessions.get(call_sid)
        if session:
            return session.call.privacy
        row = self._fleet.cabinet.state.rows.get(call_sid)
        return self._folds.of("", row.records).privacy if row else Privacy()

    def _is_due(self, asks: int, now_ms: int) -> bool:
        before, at_ms = self._answered
        return asks != before or now_ms - at_ms >= AGAIN_MS

    def _is_wanted(self, one: Collection, now_ms: int) -> bool:
        *before, at_ms = self._keyed
        is_new = [one.collection, one.rounds] != before
        return (
            one.sink == "http"
            and not one.is_passed
            and (is_new or (not one.keys and now_ms - at_ms >= AGAIN_MS))
        )

    async def _consent(self) -> None:
        await asyncio.sleep(THINK_MS / 1_000)
        answers = self._plan.answers
        text = answers[min(self._answers, len(answers) - 1)]
        self._answers += 1
        if text in ("1", "2"):
            await self._phone.caller.press(text)
        elif text:
            self._phone.caller.say(bytes(rendered(text)))

    async def _at_till(self, till: CarriersTill) -> None:
        """Key the card into the carrier's till, or leave it by the star; a slip is keyed again."""
        card = self._plan.card
        before = self._chance.choice(("", "", "", f"{card[:9]}#", f"{card[:5]}*"))
        for key in f"{before}{card}#1230":
            await asyncio.sleep(KEY_MS / 1_000)
            if self._phone.is_over or self._phone.course.till is not till:
                return
            await self._phone.caller.press(key)

    async def _number(self, one: Collection) -> None:
        """Key the number, or say its first half; whoever is told to begin again does."""
        await asyncio.sleep(THINK_MS / 1_000)
        card = self._plan.card
        spoken = self._chance.choice((0, 0, 0, 8))
        if spoken and self._is_open(one):
            self._phone.caller.say(
                bytes(rendered(" ".join(DIGITS[int(digit)] for digit in card[:spoken])))
            )
            await asyncio.sleep(2 * THINK_MS / 1_000)
        for key in card[spoken:] + self._chance.choice(("#", "")):
            if not self._is_open(one):
                return
            await self._phone.caller.press(key)
            await asyncio.sleep(KEY_MS / 1_000)

    def _is_open(self, one: Collection) -> bool:
        """Whether this round still goes on, as far as the caller knows."""
        now = self._privacy().collection
        return not self._phone.is_over and now is not None and now.rounds == one.rounds
