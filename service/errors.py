"""Every error that Stayline raises on purpose.

    StaylineError
    ├── ConfigError              a setting is wrong; the sentence says which and why
    ├── RemoteProtocolError      the other side of the wire said something we can't accept
    ├── LocalProtocolError       we tried to say something the wire does not allow: a bug of ours
    ├── BadRecording             a file is no recorded call; the sentence says where
    ├── StoreError
    │   ├── StoreUnavailable     the journal can't be reached or written now; try again later
    │   └── SealBroken           what is kept of a call can't be opened: its key is gone, or it was changed
    ├── CarrierError             the carrier's REST API refused or failed
    │   ├── CallGone             the call is over or unknown there
    │   ├── CallAway             the other side is away and comes back by itself, or not
    │   ├── Undialable           nobody can be put through on this line, and no message taken
    │   └── CarrierBusy          too many requests, still refused after backing off
    ├── BrainError               a model behind an agent refused, failed or answered nonsense
    │   └── BrainRefused         its server will not have us, now or later
    ├── SpeechError
    │   ├── EngineMissing        an engine's package is not installed here
    │   └── SynthesisFailed      the engine gave no audio for a text
    └── Refused                  a person's or program's request is not acceptable; carries the HTTP status

Losing a race is not an error: `Fenced`, `Behind` and their like are values (see journal/journal.py).
"""


class StaylineError(Exception):
    """The root: whatever Stayline raises on purpose is one of these."""


class ConfigError(StaylineError):
    """A setting is wrong. The message is one line that names it."""


class RemoteProtocolError(StaylineError):
    """The peer sent something outside the protocol. It is counted and dropped; it ends no call."""


class LocalProtocolError(StaylineError):
    """Our own side broke the protocol. Always a bug here, never the peer's doing."""


class BadRecording(StaylineError):
    """A file is no recorded call, or a damaged one. The message is one line that says where."""


class StoreError(StaylineError):
    """The journal's store failed."""


class StoreUnavailable(StoreError):
    """The store can't be reached, or can't write, now."""


class SealBroken(StoreError):
    """A call's records can't be opened: their key is not here, or they are not as they were written."""


class CarrierError(StaylineError):
    """The carrier's REST API refused or failed; `code` is the carrier's own, 0 when it gave none."""

    def __init__(self, message: str, *, status: int = 0, code: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    @property
    def is_refusal(self) -> bool:
        """Whether the carrier said that it did nothing; otherwise nobody knows."""
        return 400 <= self.status < 500  # noqa: PLR2004 - HTTP's own numbers


class CallGone(CarrierError):
    """The call is over, or the carrier does not know it. `reason` is how its journal says so."""

    def __init__(
        self, message: str, *, status: int = 0, code: int = 0, reason: str = "gone_at_carrier"
    ) -> None:
        super().__init__(message, status=status, code=code)
        self.reason = reason


class CallAway(CarrierError):
    """Nothing leads this call back but its own other side, which may come until `until_ms`."""

    def __init__(self, message: str, *, until_ms: int) -> None:
        super().__init__(message)
        self.until_ms = until_ms


class Undialable(CarrierError):
    """On this line nobody can be put through to a number, and no message can be taken."""


class CarrierBusy(CarrierError):
    """The carrier answered "too many requests" until the last attempt."""


class BrainError(StaylineError):
    """A model behind an agent refused, failed or answered nonsense."""


class BrainRefused(BrainError):
    """The model's server will not have us, now or later: a wrong key, or no such model."""


class SpeechError(StaylineError):
    """A speech engine failed."""


class EngineMissing(SpeechError):
    """An engine's package or model is not installed on this machine."""


class SynthesisFailed(SpeechError):
    """The synthesiser returned no audio for a text that should be spoken."""


class Refused(StaylineError):
    """A request that can't be served; `status` is the HTTP status for its sender.

    `reason` is one word for programs, where the status alone does not tell what to do.
    """

    def __init__(self, status: int, title: str, detail: str, *, reason: str = "") -> None:
        super().__init__(detail)
        self.reason = reason
        self.status = status
        self.title = title
        self.detail = detail
