"""What came with a stream, read from what was written when it took the call. Pure.

A stream's write tells most of it. Which door it came by and whether the stream before was still here
show in the cause, where that depends on them; what still ran in the process shows in what was not
given up. Whether its ear heard the half utterance begin is in few facts: else the same server as
before speaks for it.
"""

from collections.abc import Iterator
from itertools import takewhile

from service.call import events as e, inputs as i
from service.call.events import Known
from service.call.replay.reading import Reading, Write

_WITH_IT = (
    e.ParameterRefused, e.DigitsSent, e.CallerSpoke, e.OperationEnded, e.OperationDelayed,
    e.ContextLost, e.DropLimitReached, e.CallbackRequested, e.AgentSpoke,
)  # fmt: skip
_GivenUp = e.DigitsSent | e.OperationEnded | e.OperationDelayed
_GIVEN_UP = (e.DigitsSent, e.OperationEnded, e.OperationDelayed)
_TELLING = (*_GIVEN_UP, e.ParameterRefused, e.CallerSpoke, e.ContextLost)


def read_attached(write: Write, fact: e.StreamAttached) -> Iterator[Reading]:
    """A stream that took the call."""
    with_it = list(
        takewhile(lambda one: not _is_of_next(write, one[1]), write.following(_WITH_IT, 1))
    )
    ends = [one for _, one in with_it if isinstance(one, _GIVEN_UP)]
    told = {0, *(place for place, one in with_it if isinstance(one, _TELLING))}
    held = _held(write, fact, [one for _, one in with_it])
    for number, is_held in enumerate(held):
        attached = i.Attached(
            stream_sid=fact.stream_sid,
            door="voice" if fact.cause == "duplicate" else "resume",
            server=fact.server,
            gap_ms=fact.gap_ms,
            gap_heard_ms=fact.gap_heard_ms,
            is_live_here=fact.cause == "drop",
            parameters={
                one.name: one.offered for _, one in with_it if isinstance(one, e.ParameterRefused)
            },
            running=_running(write, ends),
            is_held_here=is_held,
            lease_ms=max(
                (one.retry_ms for one in ends if isinstance(one, e.OperationDelayed)), default=0
            ),
            lost="".join(one.reason for _, one in with_it if isinstance(one, e.ContextLost)),
        )
        yield Reading(attached, frozenset(told), len(with_it) + 1, is_supposed=number > 0)


def _is_of_next(write: Write, fact: Known) -> bool:
    """Whether a fact of such a kind belongs to what happened next, in the same moment."""
    match fact:
        case e.CallerSpoke():
            return not (fact.partial and write.call.partial_text)
        case e.AgentSpoke():
            return bool(fact.turn) or fact.who != "agent" or fact.voice != "ours"
        case e.DigitsSent():
            return fact.outcome != "unknown"
        case _:
            return False


def _held(write: Write, fact: e.StreamAttached, with_it: list[Known]) -> tuple[bool, ...]:
    """Whether this process held the call before: what speaks for it first, then what might be."""
    if write.call.partial_text:
        return (not any(isinstance(one, e.CallerSpoke) for one in with_it),)
    is_same = fact.server == write.server
    return (is_same, not is_same)


def _running(write: Write, ends: list[_GivenUp]) -> tuple[str, ...]:
    """Whatever was under way and was not given up went on in this process."""
    gone = {one.request if isinstance(one, e.DigitsSent) else one.operation for one in ends}
    names = [one.request for one in write.call.requests if one.is_started]
    names += [one.operation for one in write.call.pending() if one.is_running]
    return tuple(name for name in names if name not in gone)
