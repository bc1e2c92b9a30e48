"""The facts of a tool at work: requested, approved, dispatched, delayed, ended. See operation.py."""

from typing import Any

from service.call.facts.fact import Fact, Status


class OperationRequested(Fact, frozen=True):
    """The agent wants a tool to work. The terms stand here, so that any process can judge by them.

    `deadline_ms` and `approval_ms` are moments; `approval_ms` is 0 when nobody needs to approve.
    """

    operation: str
    tool: str
    arguments: dict[str, Any]
    turn: int
    is_idempotent: bool
    attempts_max: int
    deadline_ms: int
    approval_ms: int = 0


class OperationApproved(Fact, frozen=True):
    """A person lets the tool work. *Outside*."""

    operation: str
    by: str = ""


class OperationDenied(Fact, frozen=True):
    """A person forbids the tool to work. *Outside*."""

    operation: str
    by: str = ""


class OperationDispatched(Fact, frozen=True):
    """The tool is about to be called, for the `attempt`-th time, under the epoch of this record."""

    operation: str
    attempt: int


class OperationDelayed(Fact, frozen=True):
    """An attempt failed; the next one is due at `retry_ms`."""

    operation: str
    attempt: int
    retry_ms: int
    detail: str = ""


class OperationEnded(Fact, frozen=True):
    """The final state of an operation. `result` is JSON; *unknown* means that it may have acted."""

    operation: str
    status: Status
    result: str = ""
    detail: str = ""
