"""A call that the service asks for: `POST /Calls.json` ("Call resource: create"), and who picks up.

queued ──> ringing ──> answered: the Url is asked for its document, as for a call that came in
└──────> busy · no-answer · failed: only the status callback tells of it
"""

import re

import msgspec

from service.simulator.answering import Party

TIMEOUT_MS = 60_000  # Twilio's default of `Timeout`
TIMEOUT_S_MAX = 600  # and its limit

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_URL = re.compile(r"https?://[^\s]+")

NO_TO, NO_FROM, BAD_TO, BAD_URL = 21_201, 21_213, 21_211, 21_205


class BadCall(ValueError):
    """A call that Twilio would not make; `code` is its own."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """What the service wants of a call that it asks for; `party` is how its number is answered."""

    url: str
    method: str = "POST"
    status_url: str = ""
    timeout_ms: int = TIMEOUT_MS
    party: Party = Party()


class Wanted(msgspec.Struct, frozen=True):
    """A call that the service asks for."""

    to: str
    from_: str
    rung: Rung


def wanted(fields: dict[str, str]) -> Wanted:
    """Read the form of a creation. Raises BadCall with Twilio's code."""
    to, from_, url = (fields.get(name, "") for name in ("To", "From", "Url"))
    if not to:
        raise BadCall(NO_TO, "No 'To' number is specified")
    if not from_:
        raise BadCall(NO_FROM, "No 'From' number is specified")
    if not _NUMBER.fullmatch(to):
        raise BadCall(BAD_TO, "Invalid 'To' Phone Number")
    if not _URL.fullmatch(url):
        raise BadCall(BAD_URL, "Url parameter is required")
    timeout = fields.get("Timeout", "")
    timeout_ms = 1_000 * min(int(timeout), TIMEOUT_S_MAX) if timeout.isdecimal() else TIMEOUT_MS
    method = "GET" if fields.get("Method", "POST").upper() == "GET" else "POST"
    return Wanted(
        to,
        from_,
        Rung(
            url=url,
            method=method,
            status_url=fields.get("StatusCallback", ""),
            timeout_ms=timeout_ms,
        ),
    )
