"""The carrier's till: what a caller keys into one `<Pay>`, and what its action is told ("TwiML Voice: Pay").

number ──> date ──> security code ──> postal code ──> the connector ──> Result: success, with a token
   │ each ends with the hash key, its last digit, or a pause; what is wrong is asked for again
   ├── star ──> caller-interrupted-with-star
   └── wrong too often ──> too-many-failed-attempts

The digits are here, at the carrier, and leave it masked. Not published, so chosen here: after too many
attempts the action is asked; with the outcome SILENT the next verb runs, as the page says of it elsewhere.
"""

import asyncio
from collections.abc import Callable

import msgspec

from service.simulator.account import Terms
from service.simulator.twiml.verbs import Pay

SUCCESS, STAR, TOO_MANY = "success", "caller-interrupted-with-star", "too-many-failed-attempts"
ERROR, REJECTED, SILENT = "payment-connector-error", "rejected", "silent"
OUTCOMES = (SUCCESS, ERROR, "validation-error", "internal-error", REJECTED, SILENT)
REJECTED_CODE = 64_012  # "Payment Gateway rejected the card"
MASK = "x"
LAST_SHOWN = 4

Fields = list[tuple[str, str]]


class Asked(msgspec.Struct, frozen=True):
    """One of the numbers that are asked for: how many digits it has, and which are right."""

    name: str
    digits_min: int
    digits_max: int
    is_right: Callable[[str], bool] = lambda _digits: True


def _is_number(digits: str) -> bool:
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    total = sum(value - 9 * (value > 9) for value in doubled) + sum(map(int, digits[-1::-2]))  # noqa: PLR2004 - of two digits
    return total % 10 == 0


NUMBER = Asked("PaymentCardNumber", 13, 19, _is_number)
DATE = Asked("ExpirationDate", 4, 4, lambda digits: "01" <= digits[:2] <= "12")
CODE = {
    "securityCode": Asked("SecurityCode", 3, 4),
    "postalCode": Asked("PaymentCardPostalCode", 3, 10),
}


class Till:
    """One `<Pay>`, from its first question to its result. `terms.pay` is how the connector answers."""

    def __init__(self, verb: Pay, terms: Terms, token: str) -> None:
        assert terms.pay in OUTCOMES, f"{terms.pay!r} is no outcome of a <Pay>"
        self.result = ""
        self._verb = verb
        self._pace = terms.pace
        self._outcome = terms.pay
        self._token = token
        self._wanted = [NUMBER, DATE, *(CODE[name] for name in verb.asks)]
        self._keyed: dict[str, str] = {}
        self._keys = ""
        self._attempt = 1
        self._touched = asyncio.Event()

    def press(self, key: str) -> None:
        """Take one key of the caller's."""
        self._touched.set()
        if self.result:
            return
        if key == "*":
            self.result = STAR
        elif key == "#" and self._keys:  # One that is whole by its last digit needs none.
            self.end()
        elif key.isdecimal():
            self._keys += key
            if len(self._keys) == self._wanted[0].digits_max:
                self.end()

    def end(self) -> None:
        """The number that is being keyed is over: it is right, or asked for again."""
        wanted, keys, self._keys = self._wanted[0], self._keys, ""
        if len(keys) >= wanted.digits_min and wanted.is_right(keys):
            self._keyed[wanted.name] = keys
            self._attempt = 1
            self._wanted.pop(0)
            self.result = "" if self._wanted else self._outcome
        elif self._attempt == self._verb.attempts:
            self.result = TOO_MANY
        else:
            self._attempt += 1

    async def run(self) -> None:
        """Ask, and wait for keys, until there is a result."""
        while not self.result:
            question = self._question
            await self._keyed_or(self._pace.prompt_ms)
            while question == self._question:
                if not await self._keyed_or(self._verb.key_pause_ms):
                    self.end()
        if self.result == self._outcome:
            await asyncio.sleep(self._pace.connector_ms / 1_000)

    @property
    def _question(self) -> tuple[int, int, str]:
        """What is being asked for the how-manieth time, or that nothing is any more."""
        return len(self._wanted), self._attempt, self.result

    async def _keyed_or(self, wait_ms: int) -> bool:
        """Wait for a key, but no longer than this; whoever knows the question need not hear it out."""
        self._touched.clear()
        try:
            async with asyncio.timeout(wait_ms / 1_000):
                await self._touched.wait()
        except TimeoutError:
            return False
        return True

    def told(self) -> Fields:
        """Return what the action is told beside the usual; nothing while there is no result."""
        if not self.result or self.result == SILENT:
            return []
        if self.result == REJECTED:
            said = [("Result", ERROR), ("PayErrorCode", str(REJECTED_CODE))]
            return [*said, ("PaymentError", "card is declined"), *self._masked()]
        if self.result == SUCCESS:
            return [("Result", SUCCESS), ("PaymentToken", self._token), *self._masked()]
        return [("Result", self.result), *self._masked()]

    def _masked(self) -> Fields:
        number = self._keyed.get(NUMBER.name, "")
        told = {
            "PaymentMethod": "credit-card",
            **self._keyed,
            NUMBER.name: MASK * (len(number) - LAST_SHOWN) + number[-LAST_SHOWN:],
        }
        if code := self._keyed.get("SecurityCode"):
            told["SecurityCode"] = "*" * len(code)
        return list(told.items())
