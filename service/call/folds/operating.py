"""Tools at work, folded: requested -> dispatched -> succeeded | failed | timed_out | unknown."""

from collections.abc import Callable

from msgspec.structs import replace

from service.call import events as e
from service.call.draft import Draft
from service.call.folds import turns
from service.call.place import Placed, Steps
from service.call.state import Operation


def _requested(call: Draft, fact: e.OperationRequested, place: Placed) -> None:
    turns.meet(call, fact.turn)
    operation = Operation(
        fact.operation,
        fact.tool,
        fact.arguments,
        fact.turn,
        fact.is_idempotent,
        fact.attempts_max,
        fact.deadline_ms,
        approval="asked" if fact.approval_ms else "",
        approval_ms=fact.approval_ms,
        requested_ms=place.at_ms,
    )
    call.operations = (*call.operations, operation)


def _change(call: Draft, name: str, change: Callable[[Operation], Operation]) -> None:
    """Change an operation that is pending; a final state is final."""
    call.operations = tuple(
        change(one) if one.operation == name and one.status == "pending" else one
        for one in call.operations
    )


def _approved(call: Draft, fact: e.OperationApproved, _place: Placed) -> None:
    _change(
        call,
        fact.operation,
        lambda one: replace(one, approval="granted") if one.approval == "asked" else one,
    )


def _denied(call: Draft, fact: e.OperationDenied, place: Placed) -> None:
    def denied(one: Operation) -> Operation:
        if one.approval != "asked":
            return one
        return replace(
            one, status="failed", detail="a person said no", ended_position=place.position
        )

    _change(call, fact.operation, denied)
    turns.tell(call, place.position)


def _dispatched(call: Draft, fact: e.OperationDispatched, _place: Placed) -> None:
    _change(
        call,
        fact.operation,
        lambda one: replace(one, attempts=fact.attempt, is_running=True, retry_ms=0),
    )


def _delayed(call: Draft, fact: e.OperationDelayed, _place: Placed) -> None:
    _change(
        call,
        fact.operation,
        lambda one: replace(one, is_running=False, retry_ms=fact.retry_ms, detail=fact.detail),
    )


def _ended(call: Draft, fact: e.OperationEnded, place: Placed) -> None:
    _change(
        call,
        fact.operation,
        lambda one: replace(
            one,
            status=fact.status,
            result=fact.result,
            detail=fact.detail,
            is_running=False,
            retry_ms=0,
            ended_position=place.position,
        ),
    )
    turns.tell(call, place.position)


STEPS: Steps = {
    e.OperationRequested: _requested,
    e.OperationApproved: _approved,
    e.OperationDenied: _denied,
    e.OperationDispatched: _dispatched,
    e.OperationDelayed: _delayed,
    e.OperationEnded: _ended,
}
