"""What everything that carries one call knows of it, and how it reaches out of the call."""

from collections.abc import Coroutine
from typing import Protocol

import msgspec

from service.simulator.account import Account, Number, Terms
from service.simulator.document import Stream


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """Whose call this is. Recordings are said to be at `api_url`; nothing is there."""

    account: Account
    number: Number
    terms: Terms
    call_sid: str
    api_url: str = "https://api.twilio.com"

    def fields(self, from_: str, to: str) -> list[tuple[str, str]]:
        """Return what every voice webhook says of this call, but for its state."""
        return [
            ("CallSid", self.call_sid),
            ("AccountSid", self.account.account_sid),
            ("ApiVersion", "2010-04-01"),
            ("Direction", "inbound"),
            ("From", from_),
            ("Caller", from_),
            ("To", to),
            ("Called", to),
            *(
                (end + part, "")
                for end in ("From", "To")
                for part in ("City", "State", "Zip", "Country")
            ),
            ("StirVerstat", "TN-Validation-Passed-A"),
        ]


class Tell(Protocol):
    """Sends one stream status callback, without waiting for the answer."""

    def __call__(self, stream: Stream, stream_sid: str, event: str, error: int) -> None:
        """Send it; `error` is Twilio's code, 0 for none."""
        ...


class Spawn(Protocol):
    """Runs something beside the call, until the call is let go."""

    def __call__(self, work: Coroutine[object, object, None]) -> None:
        """Begin it."""
        ...
