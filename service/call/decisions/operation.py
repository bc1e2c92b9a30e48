"""What is decided about tools: when one is called, called again, or given up. Pure.

    requested ──(approved)──> dispatched ──> succeeded
                                  │    └───> failed      it said so, or a person did
                     delayed <────┘    ├───> timed_out   past its deadline, and nothing can have changed
                        └──> dispatched└───> unknown     past its deadline, or lost, and it may have acted

Rules kept here (requirement R-12):

1. A tool is called only after `OperationDispatched` is written under the fence: an owner that lost the
   call can't dispatch. Each attempt bears the same key.
2. Only an idempotent tool is called again. Another one that gave no answer is *unknown*.
3. After a crash nobody knows whether the tool still works somewhere: an idempotent one is called again
   once the dead owner's hold has run out, once more than its terms say at most; any other may still be
   answered for until its deadline.
4. At its deadline every operation gets its final state.
5. One that is not idempotent begins only when its dispatch is where whoever takes the call finds it.
6. A server that goes down begins no attempt: whoever takes the call begins it.
"""

from collections.abc import Iterator

from service.call import events as e, inputs as i
from service.call.events import Known, Status
from service.call.inputs import Decision
from service.call.policy import Policy, ToolTerms
from service.call.state import Call, Operation

BACKOFF_MS = 250  # before the second attempt; it doubles with each
BACKOFF_MS_MAX = 4_000  # a caller waits for the answer
OVERDUE = "no answer in time"  # why an operation ended at its deadline
NOT_APPROVED = "nobody approved it in time"
OPERATIONS_MAX = 200  # per call; an agent that asks for more goes round in circles


def requested(
    name: str, tool: str, arguments: dict[str, object], turn: int, terms: ToolTerms, now_ms: int
) -> e.OperationRequested:
    """Return the fact of a request. Each attempt has its time, from the approval on where one is needed."""
    approval_ms = now_ms + terms.approval_ms if terms.approval_ms else 0
    return e.OperationRequested(
        operation=name,
        tool=tool,
        arguments=arguments,
        turn=turn,
        is_idempotent=terms.is_idempotent,
        attempts_max=terms.attempts_max,
        deadline_ms=(approval_ms or now_ms) + terms.timeout_ms * terms.attempts_max,
        approval_ms=approval_ms,
    )


def next_dispatch(call: Call, now_ms: int) -> Decision:
    """Return the dispatch of the first operation that may go, or nothing."""
    if _is_moving(call):
        return Decision()
    for one in call.pending():
        is_free = not one.is_running and one.approval != "asked"
        if is_free and one.retry_ms <= now_ms < one.deadline_ms:
            attempt = one.attempts + 1
            fact = e.OperationDispatched(operation=one.operation, attempt=attempt)
            effect = i.Operate(
                operation=one.operation,
                attempt=attempt,
                tool=one.tool,
                arguments=one.arguments,
                key=f"{call.call_sid}:{one.operation}",
                is_idempotent=one.is_idempotent,
                deadline_ms=one.deadline_ms,
            )
            return Decision((fact,), (effect,))
    return Decision()


def done(call: Call, happened: i.OperationDone, now_ms: int, _policy: Policy) -> Decision:
    """Return what follows from the end of an attempt. One of an operation that is final says nothing."""
    one = next((one for one in call.pending() if one.operation == happened.operation), None)
    if one is None:
        return Decision()
    if happened.outcome == "succeeded":
        return Decision((_ended(one, "succeeded", happened.result, happened.detail),))
    if happened.attempt != one.attempts:
        return Decision()
    pause_ms = max(happened.retry_after_ms, _backoff_ms(one.attempts))
    may_retry = happened.may_retry or happened.outcome == "unanswered"
    if (
        one.is_idempotent
        and may_retry
        and one.attempts < one.attempts_max
        and now_ms + pause_ms < one.deadline_ms
    ):
        return Decision((_delayed(one, now_ms + pause_ms, happened.detail),))
    if happened.outcome == "unanswered":
        return Decision((_ended(one, _unanswered(one, now_ms), "", happened.detail),))
    return Decision((_ended(one, "failed", happened.result, happened.detail),))


def told_afterwards(call: Call, happened: i.OperationDone) -> tuple[Known, ...]:
    """Return what a process that lost the call may still tell of a tool it had dispatched.

    That it succeeded, whoever holds the call now; and for a tool that is called only once, how it ended.
    """
    one = next((one for one in call.pending() if one.operation == happened.operation), None)
    if one is None or (one.is_idempotent and happened.outcome != "succeeded"):
        return ()
    statuses: dict[str, Status] = {"unanswered": "unknown", "failed": "failed"}
    status = statuses.get(happened.outcome, "succeeded")
    return (_ended(one, status, happened.result, happened.detail),)


def deadlines_ms(call: Call) -> Iterator[int]:
    """Return when something about a tool is due."""
    for one in call.pending():
        if one.approval == "asked":
            yield one.approval_ms
        elif _is_moving(call):
            yield one.deadline_ms
        else:
            yield min(one.deadline_ms, one.retry_ms or one.deadline_ms)


def overdue(call: Call, now_ms: int) -> tuple[Known, ...]:
    """Return the end of all that is overdue. Any process may tell of it, should there be no holder."""
    facts: list[Known] = []
    for one in call.pending():
        if one.approval == "asked" and now_ms >= one.approval_ms:
            facts.append(_ended(one, "failed", "", NOT_APPROVED))
        elif one.approval != "asked" and now_ms >= one.deadline_ms:
            facts.append(_overdue(one))
    return tuple(facts)


def woke(call: Call, now_ms: int) -> Decision:
    """Return what is due: the end of all that is overdue, else the next dispatch."""
    facts = overdue(call, now_ms)
    return Decision(facts) if facts else next_dispatch(call, now_ms)


def orphaned(call: Call, attached: i.Attached, now_ms: int) -> list[Known]:
    """Return what becomes of tools that another process had dispatched."""
    facts: list[Known] = []
    for one in call.pending():
        if not one.is_running or one.operation in attached.running:
            continue
        if now_ms >= one.deadline_ms:
            facts.append(_overdue(one))
        elif one.is_idempotent and one.attempts <= one.attempts_max:
            again_ms = max(now_ms, attached.lease_ms)
            facts.append(_delayed(one, again_ms, "the server that asked is gone"))
    return facts


def _is_moving(call: Call) -> bool:
    return call.planned_cause == "deploy" and call.phase != "ended"


def _backoff_ms(attempts: int) -> int:
    return min(BACKOFF_MS_MAX, BACKOFF_MS << min(max(0, attempts - 1), 10))


def _unanswered(one: Operation, now_ms: int) -> Status:
    if not one.is_idempotent:
        return "unknown"
    return "timed_out" if now_ms >= one.deadline_ms else "failed"


def _overdue(one: Operation) -> e.OperationEnded:
    """An idempotent tool is done no harm by not knowing; another may have acted once it was called."""
    may_have_acted = one.attempts > 0 and not one.is_idempotent
    return _ended(one, "unknown" if may_have_acted else "timed_out", "", OVERDUE)


def _ended(one: Operation, status: Status, result: str, detail: str) -> e.OperationEnded:
    return e.OperationEnded(operation=one.operation, status=status, result=result, detail=detail)


def _delayed(one: Operation, retry_ms: int, detail: str) -> e.OperationDelayed:
    return e.OperationDelayed(
        operation=one.operation, attempt=one.attempts, retry_ms=retry_ms, detail=detail
    )
