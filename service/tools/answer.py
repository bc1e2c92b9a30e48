"""What an HTTP answer says of the one question that everything hangs on, whether the tool acted.

    answer                              idempotent               not idempotent
    2xx                                 succeeded                succeeded
    408 425 429, 503 with Retry-After   failed, may retry        failed, may retry: it was turned away
    502 503 504                         failed, may retry        unanswered: a gateway tells of itself only
    other 4xx                           failed                   failed
    other 5xx and unknown ones          failed, may retry        unanswered: it may have acted before it broke
    3xx (no redirect is followed)       failed                   unanswered: a 303 follows what was done

RFC 9110, section 15; RFC 6585 (429), RFC 8470 (425). A tool is asked again only when that is harmless.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import msgspec

from service.tools.terms import RESULT_BYTES_MAX, Outcome, refused, unclear, unsent

RETRY_AFTER_MS_MAX = 30_000  # nobody waits longer on the phone for one attempt to begin
NESTED_MAX = 32  # levels of a result; whoever reads it again has less of a stack than we may have

CUT = f"Its answer was cut to {RESULT_BYTES_MAX} bytes."

_TURNED_AWAY = (408, 425, 429)
_UNAVAILABLE = 503
_RETRY_LETTERS_MAX = 9  # digits of a Retry-After; 31 years


def judged(
    status: int, headers: Mapping[str, str], body: bytes, *, is_idempotent: bool, is_whole: bool
) -> Outcome:
    """Return what an answer means. `headers` is asked in lower case; `is_whole` false: the body was cut."""
    result, note = _read(headers, body, is_whole=is_whole)
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP's own numbers
        return Outcome("succeeded", result, note)
    detail = f"It answered {status}."
    if 300 <= status < 400:  # noqa: PLR2004 - as above
        detail = f"It answered {status}, and redirects are not followed."
        return refused(detail) if is_idempotent else unclear(detail, is_idempotent=False)
    is_turned_away = status == _UNAVAILABLE and "retry-after" in headers
    if status in _TURNED_AWAY or is_turned_away:
        return _turned_away(detail, headers)
    if 400 <= status < 500:  # noqa: PLR2004 - as above
        return msgspec.structs.replace(refused(detail), result=result)  # an agent may mend its wish
    return unsent(detail) if is_idempotent else unclear(detail, is_idempotent=False)


def result_text(value: object) -> tuple[str, bool]:
    """Return `value` as JSON text of at most RESULT_BYTES_MAX bytes, and whether it is all of it.

    Raises TypeError, ValueError or RecursionError when JSON can't hold the value.
    """
    return _as_json(msgspec.json.encode(value).decode())


def _read(headers: Mapping[str, str], body: bytes, *, is_whole: bool) -> tuple[str, str]:
    """Return the body as JSON text within the limit, and a sentence when it is not all of it."""
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        return "null", "Its answer came packed, which was not asked for."
    text = body.decode("utf-8-sig", "replace")
    if not text.strip():
        return "null", ""
    if is_whole:
        result, is_all = _as_json(text)
        if is_all:
            return result, ""
    return _beginning(text), CUT


def _as_json(text: str) -> tuple[str, bool]:
    """Return a text as it is when it is JSON, else as a JSON string; and whether it is all of it.

    JSON that is nested too deep counts as text. What is too long is a JSON string of its beginning.
    """
    try:
        is_json = _is_flat(msgspec.json.decode(text))
    except (ValueError, RecursionError):
        is_json = False
    # Blanks go; numbers stay as they were written.
    made = msgspec.json.format(text, indent=-1) if is_json else msgspec.json.encode(text).decode()
    is_all = len(made.encode()) <= RESULT_BYTES_MAX
    return (made if is_all else _beginning(text)), is_all


def _is_flat(value: object) -> bool:
    level = [value]
    for _ in range(NESTED_MAX):
        lists = [list(one.values()) if isinstance(one, dict) else one for one in level]
        level = [inner for one in lists if isinstance(one, list) for inner in one]
    return not any(isinstance(one, dict | list) for one in level)


def _beginning(text: str) -> str:
    """Return a JSON string of as much of the text's beginning as the limit lets through."""
    kept = text[:RESULT_BYTES_MAX]
    while True:
        made = msgspec.json.encode(kept)
        if len(made) <= RESULT_BYTES_MAX:
            return made.decode()
        # Signs that take several bytes, or an escape, are why it did not fit: cut in proportion.
        kept = kept[: len(kept) * (RESULT_BYTES_MAX - 2) // len(made)]


def _turned_away(detail: str, headers: Mapping[str, str]) -> Outcome:
    wait_ms = _retry_after_ms(headers)
    if wait_ms > RETRY_AFTER_MS_MAX:
        return refused(f"{detail[:-1]}, and asked not to be asked again soon.")
    return msgspec.structs.replace(unsent(detail), retry_after_ms=wait_ms)


def _retry_after_ms(headers: Mapping[str, str]) -> int:
    """Return how long it asks to be left alone (RFC 9110, 10.2.3), 0 when it doesn't say clearly.

    A moment is measured against the answer's own Date, so their clock and ours need not agree.
    """
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return 1000 * int(said[:_RETRY_LETTERS_MAX])
    try:
        then, now = (parsedate_to_datetime(one) for one in (said, headers.get("date", "")))
        return max(0, round((then - now).total_seconds() * 1000))
    except (ValueError, TypeError):
        return 0
