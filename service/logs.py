"""Log lines: one JSON object each, or plain text on a terminal.

    record ──> sentence ──> details (extra, scope) ──> trace ──> JSON, or plain text
                  └── redaction ──┴──────────────────────┘

Whoever wrote it, a line goes this way, and so does what ends a thread or the process: no phone number, digit,
token or word of a caller is ever in it.
"""

import logging
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType

from structlog.contextvars import merge_contextvars
from structlog.processors import JSONRenderer
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger
from typing_extensions import override

from service import redaction

# What these say below a warning is what they were sent: frames, requests, commands.
_TALKATIVE = (
    "asyncio", "httpcore", "httpcore2", "httpx", "httpx2", "openai", "redis", "sse_starlette", "twilio",
    "twilio.http_client", "urllib3", "uvicorn.access", "websockets",
)  # fmt: skip
# The garbage collector has these told, in the midst of whichever call is at work, and us of what it may not raise.
_AT_ANY_TIME = ("asyncio", "py.warnings", __name__)
# By the sentence, or by others' formatters.
_SAID = ("_record", "message", "asctime", "color_message")
_EXTRA = ExtraAdder()

_log = logging.getLogger(__name__)


def json_lines() -> logging.Formatter:
    """One JSON object a line: at (UTC), level, text, logger, what may be shown of `extra` and scope, trace."""
    return _formatter(JSONRenderer())


def plain_lines() -> logging.Formatter:
    """For a terminal: the first letter of the level, the sentence, and a trace below it."""
    return _formatter(_plain)


def _formatter(renderer: Processor) -> logging.Formatter:
    """The record's template and its values come separately: together they would say what was withheld."""
    chain = (_sentence, _details, _trace, renderer)
    return ProcessorFormatter(processors=chain, use_get_message=False, pass_foreign_args=True)


def _sentence(_logger: WrappedLogger, level: str, line: EventDict) -> EventDict:
    """Begin the line: when, how grave, what, and who says so."""
    record, told = line["_record"], str(line["event"])
    if record.name.partition(".")[0] not in redaction.OWN:
        told = f"{redaction.foreign(told, record.pathname)} ({record.module}:{record.lineno})"
    at = datetime.fromtimestamp(record.created, UTC).replace(tzinfo=None)
    return {
        "at": f"{at.isoformat(timespec='milliseconds')}Z",
        "level": level,
        "text": redaction.sentence(told, line.get("positional_args", ())),
        "logger": record.name,
        "_record": record,
        "exc_info": line.get("exc_info"),
    }


def _details(logger: WrappedLogger, level: str, line: EventDict) -> EventDict:
    """Add what may be shown of `extra` and, where it is silent, of the scope."""
    record = line.pop("_record")
    more = _EXTRA(logger, level, {"_record": record})
    if record.name not in _AT_ANY_TIME:
        more = merge_contextvars(logger, level, more)
    for name, value in more.items():
        if name not in line and name not in _SAID:
            line[name] = redaction.shown(value, name)
    return line


def _trace(_logger: WrappedLogger, _level: str, line: EventDict) -> EventDict:
    """Put kinds and places where an exception was."""
    if raised := line.pop("exc_info"):
        line["trace"] = redaction.trace(raised[1]) if raised[1] is not None else ""
    return line


def _plain(_logger: WrappedLogger, _level: str, line: EventDict) -> str:
    told = f"{line['level'][:1].upper()} {line['text']}"
    return f"{told}\n{line['trace']}" if "trace" in line else told


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
    lines.setFormatter(plain_lines() if sys.stderr.isatty() else json_lines())
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
