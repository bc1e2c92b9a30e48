"""Verbs that only say or play something: how long they take, and what the timeline tells of them."""

import msgspec

from service.simulator.account import Pace
from service.simulator.timeline import Kind
from service.simulator.twiml import verbs as twiml


class Said(msgspec.Struct, frozen=True):
    """So long it takes; a `text` of "" is not worth an event."""

    length_ms: int
    text: str = ""
    kind: Kind = Kind.VERB


def said(verb: twiml.Verb, pace: Pace) -> Said:
    """Return how a verb goes that says or plays something, or does nothing here."""
    match verb:
        case twiml.PlayDigits(digits):
            waits = digits.count("w")
            length_ms = waits * pace.wait_ms + (len(digits) - waits) * pace.digit_ms
            return Said(length_ms, digits, Kind.DIGITS_SENT)
        case twiml.Say(text):
            length_ms = min(len(text) * pace.say_ms_per_letter, pace.say_ms_max)
            return Said(length_ms, f"says: {text}")
        case twiml.Pause(length_ms):
            return Said(length_ms)
        case _:
            return Said(0, f"does not perform {type(verb).__name__} {verb}")
