"""What happened after the conversation: did a human answer, did the caller leave a message. Pure.

    transferred ──> dial ended ──> answered: nothing more
                        └────────> anything else ──> voicemail left

By then the call is over for us, so no process holds it: the webhooks write these facts from outside.
"""

import msgspec

from service.call.events import AnyFact, DialEnded, VoicemailLeft

ANSWERED = frozenset({"completed", "answered"})  # the carrier's words for a dial that was taken


class Voicemail(msgspec.Struct, frozen=True):
    """A message that the caller left. `url` is the carrier's recording of it."""

    url: str
    duration_ms: int
    position: int
    at_ms: int


class Afterwards(msgspec.Struct, frozen=True):
    """`dial_outcome` is the carrier's word for how the last dial ended, "" for none."""

    dial_outcome: str = ""
    voicemail: Voicemail | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do for the caller: a human spoke to them, or has their message."""
        return self.voicemail is not None or self.dial_outcome in ANSWERED


def told(was: Afterwards, fact: AnyFact, *, position: int, at_ms: int) -> Afterwards:
    """Return what is known after `fact`, which was written at `position`; most facts change nothing."""
    match fact:
        case DialEnded():
            return msgspec.structs.replace(was, dial_outcome=fact.outcome)
        case VoicemailLeft():
            left = Voicemail(fact.url, fact.duration_ms, position, at_ms)
            return msgspec.structs.replace(was, voicemail=left)
        case _:
            return was
