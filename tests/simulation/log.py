"""The log of a run's servers, listened to: a traceback breaks rule 10, the caller's words break rule 8."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

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
