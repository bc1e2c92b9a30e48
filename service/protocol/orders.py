"""What a playout wants sent, and what it tells of how far its prompts got."""

import msgspec


class SendMedia(msgspec.Struct, frozen=True):
    """Send this audio."""

    payload: bytes


class SendMark(msgspec.Struct, frozen=True):
    """Send this mark."""

    name: str


class ClauseHeard(msgspec.Struct, frozen=True):
    """The caller heard a clause to its end."""

    prompt: str
    clause: int


class Pointers(msgspec.Struct, frozen=True):
    """How far one prompt got on this stream, in samples: heard <= reach <= sent <= synthesised."""

    prompt: str
    synthesised: int = 0
    sent: int = 0
    heard: int = 0
    reach: int = 0
