"""Log lines: one JSON object each, or plain text on a terminal.

Every line and every trace goes through redaction.py, whoever wrote it, and so does what ends a thread or the
process: no phone number, digit, token or word of a caller is ever in it.
"""

import json
import logging
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType

from typing_extensions import override

from service import redaction

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
# What these say below a warning is what they were sent: frames, requests, commands.
_TALKATIVE = (
    "asyncio", "httpcore", "httpcore2", "httpx", "httpx2", "openai", "redis", "sse_starlette", "twilio",
    "twilio.http_client", "urllib3", "uvicorn.access", "websockets",
)  # fmt: skip
_log = logging.getLogger(__name__)


class _Redacted(logging.Formatter):
    """Says of a record what may be said."""

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the sentence of the record."""
        told = str(record.msg)
        if record.name.partition(".")[0] not in redaction.OWN:
            told = f"{redaction.foreign(told, record.pathname)} ({record.module}:{record.lineno})"
        return redaction.sentence(told, record.args or ())

    @override
    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """Return kinds and places."""
        return redaction.trace(ei[1]) if ei[1] is not None else ""


class JsonLines(_Redacted):
    """One JSON object a line: level, text, logger, and what may be shown of `extra`. Times are UTC."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter.format."""
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "at": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
            "level": record.levelname.lower(),
            "text": self.formatMessage(record),
            "logger": record.name,
        }
        more = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        line.update({name: redaction.shown(value, name) for name, value in more.items()})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class Lines(_Redacted):
    """For a terminal: the first letter of the level, the sentence, and a trace below it."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter.format."""
        told = f"{record.levelname[:1]} {self.formatMessage(record)}"
        return f"{told}\n{self.formatException(record.exc_info)}" if record.exc_info else told


class _Stream(logging.StreamHandler):  # type: ignore[type-arg]  # not generic when it runs on 3.11
    """Standard error. A line that can't be written leaves no values there either."""

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        """Say where the line is from, and nothing of it."""
        # Where nobody reads any more, no request fails for it.
        with suppress(OSError, ValueError):
            self.stream.write(f"! a log line failed: {record.module}:{record.lineno}\n")


def set_up(level: str) -> None:
    """Send log lines to standard error, as JSON unless a person reads them, and whatever ends a thread."""
    lines = _Stream(sys.stderr)
    lines.setFormatter(Lines() if sys.stderr.isatty() else JsonLines())
    logging.basicConfig(level=level, handlers=[lines], force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    sys.excepthook = _on_end
    threading.excepthook = _on_thread_end
    sys.unraisablehook = _on_unraisable


def _on_end(kind: type[BaseException], trouble: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    _log.critical("! the process failed", exc_info=(kind, trouble, trace))


def _on_thread_end(end: threading.ExceptHookArgs) -> None:
    if end.exc_value is not None:
        _log.error("! a thread failed", exc_info=end.exc_value)


def _on_unraisable(end: "sys.UnraisableHookArgs") -> None:
    _log.error("! nobody could be told", exc_info=end.exc_value or end.exc_type())
