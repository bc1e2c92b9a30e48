"""Log lines as a collector has them: each rendered where it is told, so that it says of which call it is."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from typing_extensions import override

from service import logs


class _Told(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logs.json_lines())
        self.lines: list[dict[str, Any]] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


@contextmanager
def lines() -> Iterator[list[dict[str, Any]]]:
    """Give the lines that are told until the end of the block, whoever tells them."""
    told, root = _Told(), logging.getLogger()
    root.addHandler(told)
    try:
        yield told.lines
    finally:
        root.removeHandler(told)
