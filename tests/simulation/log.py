"""The log of a run's servers, listened to: what must not be in it.

The caller's words break rule 8; a traceback, or a line told in another call's scope than its own, rule 10.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import get_contextvars
from typing_extensions import override

from tests.simulation.plan import WORDS
from tests.simulation.witness import Witness


class _Ear(logging.Handler):
    def __init__(self, witness: Witness) -> None:
        super().__init__(logging.INFO)
        self._witness = witness

    @override
    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.levelno >= logging.WARNING:
            self._witness.note("log", getattr(record, "call_sid", ""), text)
        words = (*WORDS, *self._witness.secrets)
        self._witness.check(8, not any(word in text for word in words), f"in the log: {text}")
        scope = get_contextvars().get("call_sid", "")
        of_call = getattr(record, "call_sid", scope)
        self._witness.check(10, scope in ("", of_call), f"told in another call's scope: {text}")
        if record.exc_info and record.exc_info[0] is not None:
            trace = logging.Formatter().formatException(record.exc_info)
            self._witness.broke(10, f"a traceback in the log: {text}\n{trace}")


@contextmanager
def listening(witness: Witness) -> Iterator[None]:
    """Listen to the service's log, until the end of the block."""
    service, ear = logging.getLogger("service"), _Ear(witness)
    before = service.level, service.propagate
    service.setLevel(logging.INFO)
    service.propagate = False
    service.addHandler(ear)
    try:
        yield
    finally:
        service.removeHandler(ear)
        service.level, service.propagate = before
