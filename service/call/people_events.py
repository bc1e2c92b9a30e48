"""The facts of people who step in: digits to send, lines to say, notes, the end. See people.py."""

from service.call.fact import Cause, Fact


class DigitsRequested(Fact, frozen=True):
    """Somebody asked us to send DTMF into the call. *Outside*."""

    request: str
    digits: str


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
    """A person wants a line said. *Outside*."""

    request: str
    text: str


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
