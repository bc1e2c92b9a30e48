"""What a caller must not find in any journal: words before their consent, and the digits of a sealed number.

consent:     "" (nobody asks) │ asked ──> given │ declined
collection:  begun ──> keys, masked ──> passed to the sink ──> ended: taken (a reference stands for it), or not
                ├── again from the first digit: a drop, the star, a wrong number, silence
                ├── not taken: what is keyed on without a pause is masked, too
                └── by the carrier: planned ──> it has the call ──> ended, or again
"""

from typing import Literal

import msgspec

Standing = Literal["", "asked", "given", "declined"]
Outcome = Literal["taken", "refused", "failed", "given_up"]

Again = Literal["drop", "star", "wrong", "silence"]
By = Literal["speech", "key", "silence"]
Sink = Literal["http", "pay"]  # our own, to which we pass the number; or the carrier's `<Pay>`

PAY_WAIT_MS = 300_000  # a card, its date, code and postcode, each keyed three times by slow fingers
KEYS_REST_MS = 2_000  # whoever keys a number does not pause longer between two digits
KEYS_LIMIT = 64  # of one number; longer than any that people have
SEALED = "sealed"  # the source of a field whose value only refers to what was keyed
CONSENT = "consent"  # the field that the question asks for
HOW_LINE = "Please say yes or press 1 if that is all right, or say no or press 2."
DROP_LINE = (
    "Sorry, the line was gone for a moment, and for your safety I kept none of the digits. "
    "Please key in the number again, from the first digit."
)
PAY_LINE = (
    "Sorry, the line was gone for a moment. You will be asked once more for the number of the card; "
    "please key it in from the first digit."
)
KEY_LINE = "Please key in the number, and press the hash key at its end."


class Collection(msgspec.Struct, frozen=True):
    """A number that is being collected, of which no digit stands anywhere but in one process's memory.

    `keys` have come in this round, and whether they may be the whole number is `fits`. `misses` counts rounds
    that went wrong by the caller. While it `is_passed` the sink is asked: of the sink "pay" that is the
    carrier, which has the call itself meanwhile.
    """

    collection: str
    field: str
    keys_min: int
    keys_max: int
    is_card: bool
    keys: int = 0
    fits: bool = False
    rounds: int = 1
    misses: int = 0
    is_passed: bool = False
    sink: Sink = "http"


class Collected(msgspec.Struct, frozen=True):
    """How the last collection ended. `reference` is the sink's name for the number."""

    collection: str
    field: str
    outcome: Outcome
    reference: str = ""
    detail: str = ""


class Privacy(msgspec.Struct, frozen=True):
    """What of the call is private now, and what became of the last number.

    Before `away_until_ms` nobody need wonder where the call is: the carrier has it, for a number. Before
    `rest_until_ms` keys are the rest of a number that was not taken: its caller has not noticed yet.
    """

    consent: Standing = ""
    asks: int = 0
    collection: Collection | None = None
    collections: int = 0
    collected: Collected | None = None
    away_until_ms: int = 0
    rest_until_ms: int = 0

    @property
    def is_private(self) -> bool:
        """Whether nothing that the caller says or keys now may be written, or told to a model or a person."""
        return self.consent in ("asked", "declined") or self.collection is not None
