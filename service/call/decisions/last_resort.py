"""Too many drops, decided: we stop trying on this line, and may ring the caller back. Pure."""

from service.call import events as e
from service.call.carrying import can_be_rung
from service.call.events import Known
from service.call.policy import Policy
from service.call.state import Call


def reached(call: Call, drops: int, policy: Policy) -> tuple[Known, ...]:
    """Return the facts of giving up. The session's way and the webhook's both come here."""
    limit = e.DropLimitReached(drops=drops)
    if policy.calls_back and may_be_rung(call) and call.callback is None:
        return (limit, e.CallbackRequested(by="rule"))
    return (limit,)


def may_be_rung(call: Call) -> bool:
    """Whether the caller has a number to ring, and we are not the ones who rang.

    A line that fails in both directions is not rung in circles. Nor is a call that never had a stream:
    the one that followed it would have none either.
    """
    is_ours = call.direction.startswith("outbound")
    return can_be_rung(call) and not is_ours and bool(call.streams)
