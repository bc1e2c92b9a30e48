"""Whether a conversation survived its drops: the service's one promise, as a figure. Pure.

    untouched   no stream was lost
    survived    at least one was, and the conversation went on with what was known
    lost        one was, and nobody came back for it, its state was gone, or it dropped too often

The share that the service is measured by is survived / (survived + lost).
"""

from typing import Literal, get_args

from service.call.state import NO_DROPS, Call

Survival = Literal["untouched", "survived", "lost"]
SURVIVALS: tuple[Survival, ...] = get_args(Survival)

_UNPLANNED = ("drop", "crash")
# The carrier stops a stream when its caller hangs up; what is written after that is about the call.
_PROPER_ENDS = ("stop", "ended", *NO_DROPS)


def survival(call: Call) -> Survival:
    """Return how a call fared that is over."""
    met_drop = any(stream.cause in _UNPLANNED for stream in call.streams[1:])
    last = call.streams[-1] if call.streams else None
    is_left_alone = last is not None and last.reason not in _PROPER_ENDS and not call.carried_on
    is_lost = (
        call.is_context_lost or call.is_drop_limited or (is_left_alone and not _is_our_end(call))
    )
    if is_lost:
        return "lost"
    return "survived" if met_drop else "untouched"


def _is_our_end(call: Call) -> bool:
    """Whether we ended the talk ourselves: then how the stream went says nothing."""
    return call.is_ending_started
