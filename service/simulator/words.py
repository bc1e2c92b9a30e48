"""The small words of the command line: durations, and times of a call as people read them."""

import re
from decimal import Decimal

_DURATION = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,6})?)(ms|s|m)?")
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000}
DURATION_MS_MAX = 3_600_000  # no scripted call lasts longer than an hour


def duration_ms(text: str) -> int:
    """Read "3.2s", "800ms", "1m" or "3.2" (seconds); raises ValueError with one clear sentence."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no duration: write 3.2s, 800ms or 1m")
    milliseconds = int(Decimal(found[1]) * _UNIT_MS[found[2] or "s"])
    if milliseconds > DURATION_MS_MAX:
        raise ValueError(f"{text!r} is longer than an hour")
    return milliseconds


def clock_text(elapsed_ms: int) -> str:
    """Write a time since the first stream began: "0:03.200"; earlier times have a minus."""
    sign = "-" if elapsed_ms < 0 else ""
    minutes, rest = divmod(abs(elapsed_ms), 60_000)
    return f"{sign}{minutes}:{rest // 1_000:02d}.{rest % 1_000:03d}"
