"""The facts of people who step in: digits, lines, notes, the agent's place, the end. See people.py."""

from service.call.facts.fact import Cause, Fact


class DigitsRequested(Fact, frozen=True):
    """Somebody asked us to send DTMF into the call. *Outside*.

    `seat` names the seat of a person in the agent's place: nobody else may ask while there is one.
    """

    request: str
    digits: str
    seat: str = ""


class RestartPlanned(Fact, frozen=True):
    """We are about to restart the stream on purpose; the next one attaches with this cause."""

    request: str
    cause: Cause


class RestartMissed(Fact, frozen=True):
    """The carrier took the order for a planned restart, and the stream went on as if it had not."""


class DigitsSent(Fact, frozen=True):
    """How the sending ended. `outcome`: sent, failed, call_gone, unknown."""

    request: str
    outcome: str
    detail: str = ""


class SayRequested(Fact, frozen=True):
    """A person wants a line said. *Outside*. `seat` as for digits."""

    request: str
    text: str
    seat: str = ""


class TransferRequested(Fact, frozen=True):
    """A person wants the caller transferred. *Outside*."""

    request: str
    to_number: str


class HangupRequested(Fact, frozen=True):
    """A person wants the call ended. *Outside*."""

    request: str


class NoteAdded(Fact, frozen=True):
    """A note by a person. *Outside*."""

    text: str
    by: str = ""


class TakeoverRequested(Fact, frozen=True):
    """A person wants the agent's place, or shows that they are still there. *Outside*.

    `from_seat` names whom they see there, and take it from; see seat.py for who has it then. `is_named`
    when `by` is the name of the token they came with, and not what they typed.
    """

    request: str
    by: str
    seat: str
    from_seat: str = ""
    is_named: bool = False


class HandbackRequested(Fact, frozen=True):
    """A person wants the agent to go on. *Outside*."""

    request: str
    by: str
    seat: str


class TakenOver(Fact, frozen=True):
    """The agent has fallen silent; what it was saying was cut in the same write."""

    by: str
    seat: str


class HandedBack(Fact, frozen=True):
    """The agent goes on. `reason`: asked, or unseen when the person showed no sign of life."""

    by: str
    reason: str
