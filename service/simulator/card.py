"""What everything that carries one call knows of it, and how it reaches out of the call."""

from collections.abc import Coroutine
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Protocol

import msgspec

from service.simulator.account import Account, Number, Terms
from service.simulator.outbound import Rung
from service.simulator.twiml.verbs import Stream


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """Whose call this is. Recordings are said to be at `api_url`; nothing is there."""

    account: Account
    number: Number
    terms: Terms
    call_sid: str
    api_url: str = "https://api.twilio.com"
    rung: Rung | None = None  # None: the call came in

    @property
    def direction(self) -> str:
        """Twilio's word for who began."""
        return "outbound-api" if self.rung else "inbound"

    @property
    def status_url(self) -> str:
        """Where the call's end is told, "" for nowhere."""
        return self.rung.status_url if self.rung else self.number.url(self.number.status_path)

    def ended_fields(self, now_ms: int, answered_ms: int) -> list[tuple[str, str]]:
        """Return what the last status callback says beside the usual; `answered_ms` is 0 for never."""
        now = datetime.fromtimestamp(now_ms / 1_000, UTC)
        lasted_s = (now_ms - answered_ms) // 1_000 if answered_ms else 0
        return [
            ("CallDuration", str(lasted_s)),
            ("Duration", str(-(-lasted_s // 60))),
            ("CallbackSource", "call-progress-events"),
            ("SequenceNumber", "0"),
            ("Timestamp", format_datetime(now)),
        ]

    def fields(self, from_: str, to: str) -> list[tuple[str, str]]:
        """Return what every voice webhook says of this call, but for its state."""
        return [
            ("CallSid", self.call_sid),
            ("AccountSid", self.account.account_sid),
            ("ApiVersion", "2010-04-01"),
            ("Direction", self.direction),
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
