"""Ringing a caller back whose call was cut off: what was asked for, tried, and is due. Pure.

    requested ──3 s──> dialled ──> placed ──> ended (busy …) ──1 min──> dialled ──> … at most 3 times
                          │           └─────> the caller answers: carried on
                          └─ nobody knows: the carrier is asked before it is tried again

An attempt is written before the carrier is asked, so that no two servers ring at once. What is due
stands in the lease of the call that was cut off: whoever takes that over does it.
"""

from typing import Literal

import msgspec

from service.call.afterwards import ANSWERED
from service.call.facts import ring as r
from service.call.facts.fact import Fact

DELAY_MS = 3_000  # the caller's line has to be free again, after our apology
ATTEMPTS_MAX = 3  # who did not answer three times is busy with something else
AGAIN_MS = 60_000  # after the first attempt that reached nobody; it doubles with each
ANSWER_MS = 15_000  # the carrier's REST API has answered by then, or its asker is dead
RING_MS = 90_000  # an attempt has ended by then, or its callback was lost


class Callback(msgspec.Struct, frozen=True):
    """How far the ringing back got. `since_ms` is when `step` was reached."""

    step: Literal["requested", "dialled", "placed", "ended"]
    since_ms: int
    attempt: int = 0
    call_sid: str = ""
    outcome: str = ""
    requests: int = 1


def told(was: Callback | None, fact: Fact, at_ms: int) -> Callback | None:
    """Return what is known after `fact`; one about another attempt than the present changes nothing."""
    match fact:
        case r.CallbackRequested():
            requests = was.requests + 1 if was else 1
            return Callback("requested", at_ms, requests=requests)
        case r.CallbackDialled() if was and fact.attempt == was.attempt + 1:
            return msgspec.structs.replace(
                was, step="dialled", since_ms=at_ms, attempt=fact.attempt, call_sid=""
            )
        case r.CallbackPlaced() if was and fact.attempt == was.attempt and was.step != "ended":
            return msgspec.structs.replace(
                was, step="placed", since_ms=at_ms, call_sid=fact.call_sid
            )
        case r.CallbackEnded() if was and fact.attempt == was.attempt:
            return msgspec.structs.replace(was, step="ended", since_ms=at_ms, outcome=fact.outcome)
        case _:
            return was


def due_ms(callback: Callback | None) -> int | None:
    """Return when the next step is due, None when there is none."""
    if callback is None:
        return None
    match callback.step:
        case "requested":
            return callback.since_ms + DELAY_MS
        case "dialled":
            return callback.since_ms + ANSWER_MS
        case "placed":
            return callback.since_ms + RING_MS
        case _ if callback.attempt < ATTEMPTS_MAX and callback.outcome not in ANSWERED:
            return callback.since_ms + (AGAIN_MS << (callback.attempt - 1))
        case _:
            return None
