"""The words of a tool: on what terms it may be used, how it is described, and how a call of it came out."""

from typing import Literal

import msgspec

RESULT_BYTES_MAX = 16_384  # it is journaled and read by models; more is a page, not an answer
ARGUMENTS_BYTES_MAX = 16_384  # they are journaled; a summary of an hour's call is shorter
DETAIL_LETTERS_MAX = 300  # one sentence

Status = Literal["succeeded", "failed", "unanswered"]


class ToolArguments(ValueError):
    """The arguments do not fit the tool. The message is one sentence without the caller's words."""


class ToolFailed(Exception):
    """Raised by a user's function that did *not* act. The detail is one sentence for the journal.

    `may_retry` says that another attempt could succeed. Any other exception of a function means that
    nobody knows whether it acted.
    """

    def __init__(self, detail: str, *, may_retry: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.may_retry = may_retry


class Terms(msgspec.Struct, frozen=True):
    """On what terms a tool may be used.

    `attempts_max` is 1 unless the tool is idempotent. `timeout_ms` is for one attempt. `approval_ms` is
    how long a person has to approve a use, counted from the request; 0 when nobody is asked.
    """

    is_idempotent: bool
    attempts_max: int
    timeout_ms: int
    approval_ms: int = 0


class Description(msgspec.Struct, frozen=True):
    """What a language model is told of a tool; `parameters` is a JSON Schema of an object."""

    name: str
    description: str
    parameters: dict[str, object]


class Outcome(msgspec.Struct, frozen=True):
    """How one attempt came out.

    succeeded   it acted; `result` is its answer, JSON text of at most RESULT_BYTES_MAX bytes
    failed      it did not act, or it is idempotent and may be asked again
    unanswered  nobody knows whether it acted: the answer was lost, came too late, or makes no sense

    `detail` is one sentence without anybody's words. `may_retry` says that another attempt with the same
    key does no harm and could succeed; not before `retry_after_ms`, when the other side named a time.
    """

    status: Status
    result: str = "null"
    detail: str = ""
    may_retry: bool = False
    retry_after_ms: int = 0


def unclear(detail: str, *, is_idempotent: bool) -> Outcome:
    """Return the outcome of an attempt that may have acted: only an idempotent tool may be asked again."""
    return Outcome("unanswered", detail=detail, may_retry=is_idempotent)


def unsent(detail: str) -> Outcome:
    """Return the outcome of an attempt that never left us: any tool may be asked again."""
    return Outcome("failed", detail=detail, may_retry=True)


def refused(detail: str) -> Outcome:
    """Return the outcome of an attempt that did not act and would not at the next try either."""
    return Outcome("failed", detail=detail)
