"""Which call the work at hand is for: every log line written meanwhile says so, whoever writes it.

    webhook, stream, request ── proved ──> of_call ──> its lines, the tasks it begins, the threads it asks
    session, flush, look ────── begun ───> of_call       a task of its own, whoever began it
    pump, pacer, batch, board ─ begun ───> of_nobody     they serve all calls, whichever woke them

A task, a timer and a callback go on in the scope in which they were begun. So what one call begins for all of
them is begun in nobody's: else it would tell of the others in the name of the first. Nobody's is also where
frames come and go, fifty times a second: what they begin is begun in the scope that its call kept.
"""

from contextvars import Context, copy_context

from structlog.contextvars import bind_contextvars, unbind_contextvars


def of_call(call_sid: str) -> None:
    """The task at hand, and all that it begins from now on, is for this call."""
    bind_contextvars(call_sid=call_sid)


def of_nobody() -> Context:
    """Return the scope at hand without its call, for a task or callback that serves all calls."""
    scope = copy_context()
    scope.run(unbind_contextvars, "call_sid")
    return scope
