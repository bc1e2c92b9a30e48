"""The digits of a number that is collected under seal: in this process's memory, and nowhere else.

    keys, words ──> Vault ──> Sealed: how many, and whether they fit ──> (decided, written, folded)
                      └── whole ──> the sink ──> Collected: its reference

They are wiped when a round ends: passed on, begun again, given up, or its stream gone.
"""

from collections.abc import Callable

from msgspec.structs import replace

from service.call import inputs as i
from service.call.events import Played
from service.call.privacy import Collection, Outcome
from service.call.private_inputs import Collected, PassOn, Sealed
from service.call.state import Call
from service.session.means import Sink
from service.session.spoken_digits import digits

CARD_DIGITS = range(12, 20)  # ISO/IEC 7812: 19 at most; the shortest in use has 12
REFERENCE_CHARS_MAX = 200
TELLING_MIN = 6  # digits in a row of the number itself: with fewer of them nobody can pay


class Vault:
    """Keeps the digits of one call's present round."""

    def __init__(self, call_sid: str, sink: Sink | None, post: Callable[[i.Input], None]) -> None:
        self._call_sid = call_sid
        self._sink = sink
        self._post = post
        self._round: tuple[str, int] = ("", 0)
        self._digits = bytearray()

    def sealed(self, call: Call, happened: i.Input) -> i.Input:
        """Return the input without its digits, which are kept here, while a number is collected."""
        one = call.privacy.collection
        if one is None:
            return happened
        match happened:
            case i.Key() if one.sink == "pay":  # It is the carrier's to take, once it listens.
                return Sealed(0, played=happened.played)
            case _ if one.sink == "pay":
                return happened
            case i.Key():
                return self._keyed(one, happened.digit, happened.played)
            case i.Utterance(is_partial=False, text=text) if said := digits(text):
                return replace(self._keyed(one, said, happened.played), is_spoken=True)
            case _:
                return happened

    def follow(self, call: Call) -> None:
        """Forget what no open round is about."""
        one = call.privacy.collection
        if one is None or (one.collection, one.rounds) != self._round:
            self._wipe()

    async def pass_on(self, effect: PassOn) -> None:
        """Have the sink take the number of this round, and tell what it said. Never raises."""
        number = self._digits.decode()
        is_whole = (effect.collection, effect.round) == self._round and self._sink is not None
        self._wipe()
        if not is_whole or self._sink is None:
            self._tell(effect, "failed", detail="the digits are not here any more")
            return
        key = f"{self._call_sid}:{effect.collection}:{effect.round}"
        outcome, reference = await self._sink.take(
            number, field=effect.field, call_sid=self._call_sid, key=key
        )
        if outcome == "taken" and not _is_telling_nothing(reference, number):
            self._tell(effect, "failed", detail="the sink's reference tells of the number")
        elif outcome == "taken":
            self._tell(effect, outcome, reference=reference)
        else:
            self._tell(effect, outcome)

    def _keyed(self, one: Collection, keys: str, played: tuple[Played, ...]) -> Sealed:
        if one.is_passed:
            return Sealed(0, played=played)
        if (one.collection, one.rounds) != self._round:
            self._wipe()
            self._round = (one.collection, one.rounds)
        if len(self._digits) != one.keys:  # Another process had the others.
            self._wipe()
            return Sealed(0, mark="drop", played=played)
        if keys == "*":
            return Sealed(0, mark="star", played=played)
        fresh = "".join(filter(str.isdecimal, keys))[: one.keys_max - one.keys]
        self._digits += fresh.encode()
        fits = not one.is_card or is_card(self._digits.decode())
        return Sealed(len(fresh), fits, "end" if keys == "#" else "", played)

    def _wipe(self) -> None:
        self._digits[:] = bytes(len(self._digits))
        self._digits.clear()
        self._round = ("", 0)

    def _tell(
        self, effect: PassOn, outcome: Outcome, *, reference: str = "", detail: str = ""
    ) -> None:
        self._post(Collected(effect.collection, effect.round, outcome, reference, detail))


def is_card(number: str) -> bool:
    """Whether a number of digits may be a payment card's: by its length and its check digit (Luhn)."""
    doubled = (int(digit) * 2 for digit in number[-2::-2])
    total = sum(value - 9 * (value > 9) for value in doubled) + sum(map(int, number[-1::-2]))  # noqa: PLR2004 - of two digits
    return len(number) in CARD_DIGITS and total % 10 == 0


def _is_telling_nothing(reference: str, number: str) -> bool:
    """Whether a reference may be written: it must not hold the number, nor the first or last of it."""
    plain = "".join(filter(str.isdecimal, reference))
    ends = (number[:TELLING_MIN], number[-TELLING_MIN:])
    is_short = 0 < len(reference) <= REFERENCE_CHARS_MAX and reference.isprintable()
    return is_short and not any(end in plain for end in ends)
