"""Log lines: one JSON object each, or plain text on a terminal. Never a phone number, digit or word of a caller."""

import json
import logging
import sys
from datetime import UTC, datetime

from typing_extensions import override

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class JsonLines(logging.Formatter):
    """One JSON object a line: level, text, logger, and whatever `extra` brought. Times are UTC."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter.format."""
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "at": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z",
            "level": record.levelname.lower(),
            "text": record.getMessage(),
            "logger": record.name,
        }
        line.update({k: v for k, v in vars(record).items() if k not in _STANDARD})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def set_up(level: str) -> None:
    """Send log lines to standard error, as JSON unless a person reads them."""
    lines = logging.StreamHandler(sys.stderr)
    is_read_by_person = sys.stderr.isatty()
    lines.setFormatter(
        logging.Formatter("%(levelname).1s %(message)s") if is_read_by_person else JsonLines()
    )
    logging.basicConfig(level=level, handlers=[lines], force=True)
    for noisy in ("uvicorn.access", "twilio.http_client", "httpx2", "httpcore2", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
