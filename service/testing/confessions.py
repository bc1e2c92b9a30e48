"""What the agent raised: the service answers for it with an apology, a test must hear of it.

The service logs an agent's failure with `action` agent_failed, the call and the exception.
"""

import logging
from types import TracebackType
from typing import Self

from typing_extensions import override

AGENT_FAILED = "agent_failed"
KEPT_MAX = 100  # an agent that fails at every turn is known after the first


class Confessions(logging.Handler):
    """Collects the agents' exceptions, by call, while it is entered."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[tuple[str, BaseException]] = []
        self._logger = logging.getLogger("service")

    def of(self, call_sid: str) -> list[BaseException]:
        """Return what was raised in this call, oldest first."""
        return [error for name, error in self.heard if name == call_sid]

    @override
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        is_agent = getattr(record, "action", "") == AGENT_FAILED
        if is_agent and error is not None and len(self.heard) < KEPT_MAX:
            self.heard.append((str(getattr(record, "call_sid", "")), error))

    def __enter__(self) -> Self:
        self._logger.addHandler(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._logger.removeHandler(self)
