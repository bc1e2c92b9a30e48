"""What a media stream tells: that it began and ended, audio, keys, marks that came back, and what is missing."""

import msgspec


class Lost(msgspec.Struct, frozen=True):
    """Audio of this length is missing before this frame."""

    lost_ms: int


class Stalled(msgspec.Struct, frozen=True):
    """Nothing came for this long; all that is missing may come yet."""

    stall_ms: int


Finding = Lost | Stalled


class Started(msgspec.Struct, frozen=True):
    """The stream says what it is. `is_again` when it says so a second time."""

    call_sid: str
    stream_sid: str
    account_sid: str
    parameters: dict[str, str]
    is_again: bool = False


class Audio(msgspec.Struct, frozen=True, gc=False):
    """Audio of the caller, and what its counters tell."""

    payload: bytes
    findings: tuple[Finding, ...] = ()


class KeyPressed(msgspec.Struct, frozen=True):
    """The caller pressed a key."""

    digit: str


class Echoed(msgspec.Struct, frozen=True):
    """A mark of ours came back."""

    name: str


class Stopped(msgspec.Struct, frozen=True):
    """The stream was stopped, or the call ended: the wire does not say which."""


StreamEvent = Started | Audio | KeyPressed | Echoed | Stopped
