"""The facts of what is private: the caller's consent, and numbers that are collected under seal.

None of them holds a word or a digit of the caller's. A server that does not know them would write both, so
CONSENT_TEXT, COLLECT_URL and COLLECT_WITH are set when all servers of a fleet know these facts.
"""

from service.call.facts.fact import Cause, Fact
from service.call.privacy import Again, By, Outcome, Sink


class ConsentAsked(Fact, frozen=True):
    """The caller is asked, for the `times`-th time, whether what they say may be kept."""

    times: int


class ConsentGiven(Fact, frozen=True):
    """It may. What they said before stands nowhere."""

    by: By


class ConsentDeclined(Fact, frozen=True):
    """It may not, or nobody answered."""

    by: By


class CollectionBegan(Fact, frozen=True):
    """The agent asks for a number that nobody but the sink may know: our own, or the carrier's `<Pay>`."""

    collection: str
    field: str
    keys_min: int
    keys_max: int
    is_card: bool = False
    sink: Sink = "http"


class PayPlanned(Fact, frozen=True):
    """The carrier is about to be asked to collect the number of this round itself.

    The stream ends on purpose then, and the next one attaches with this cause.
    """

    collection: str
    round: int
    cause: Cause = "dtmf"


class KeysMasked(Fact, frozen=True):
    """So many keys came; which, is written nowhere. `fits`: with them it may be the whole number.

    After the end of a collection that took none: keys of a caller who has not noticed yet.
    """

    collection: str
    count: int
    fits: bool = False


class CollectionRestarted(Fact, frozen=True):
    """All digits are forgotten, and asked for again from the first one."""

    collection: str
    reason: Again


class CollectionPassed(Fact, frozen=True):
    """The number is whole, and goes to the sink."""

    collection: str
    keys: int


class CollectionEnded(Fact, frozen=True):
    """How it ended; `reference` is the sink's name for the number. *Outside* when the carrier collected it."""

    collection: str
    outcome: Outcome
    reference: str = ""
    detail: str = ""


PrivateFact = (
    ConsentAsked | ConsentGiven | ConsentDeclined | CollectionBegan | PayPlanned | KeysMasked
    | CollectionRestarted | CollectionPassed | CollectionEnded
)  # fmt: skip
