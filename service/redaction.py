"""What a log line may show: what our own code says, and nothing that somebody else brought.

    template, literal in the code ── shown
    whole numbers, SIDs, kinds of errors and where they were raised ── shown
    any other value, and the text of every exception ── •••

Nobody has to think of it: a value is withheld unless it is of a shape that can't be a secret, or was marked
with `own_words` where it stands in the code. Numbers of seven digits and more may be somebody's phone number,
so they are withheld, too, but for times.
"""

import linecache
import re
import traceback
from collections.abc import Mapping
from functools import lru_cache
from pathlib import PurePath
from types import FrameType, TracebackType

WITHHELD = "•••"
NUMBER_MAX = 10**7  # smaller than any phone number that can be dialled from abroad
TIME_MAX = 10**14  # ms until the year 5138, and below any card number
CAUSES_MAX = 8  # an exception that came of one that came of another
FRAMES_MAX = 30  # the innermost ones
FILES_MAX = 64  # whose code is kept; of other packages fewer write anything
OWN = ("service", "twiml", "__main__")

_SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")  # the carrier's names, and ours for calls from a page
_LONG_NUMBER = re.compile(r"\+?\d(?:[ ().-]{0,2}\d){6,}")
_ACTION = re.compile(r"[a-z_]{1,40}")
_PLACE = re.compile(r"%(?:\((\w+)\))?([-#0 +]*[\d*]*(?:\.[\d*]+)?)([a-zA-Z%])")


class OwnWords(str):
    """A text that our own code made up, and a log line may show."""

    __slots__ = ()


def own_words(text: str) -> OwnWords:
    """Mark a word or sentence as our own. Never what a caller, a model, a page or a file has said."""
    return OwnWords(text)


def shown(value: object, name: str = "") -> object:
    """Return the value as a line may show it; `name` is what `extra` calls it."""
    match value:
        case None | bool():
            return value
        case int() | float():
            is_time = name.endswith(("_ms", "_us"))
            return value if abs(value) < (TIME_MAX if is_time else NUMBER_MAX) else WITHHELD
        case OwnWords():
            return _LONG_NUMBER.sub(WITHHELD, value)
        case str():
            is_known = _SID.fullmatch(value) or (name == "action" and _ACTION.fullmatch(value))
            return value if is_known else WITHHELD
        case BaseException():
            return _raised(value)
        case type():
            return value.__name__
        case _:
            return WITHHELD


def sentence(template: str, values: object) -> str:
    """Fill a log call's template, each place with what may be shown of its value. Never raises."""
    named = values if isinstance(values, Mapping) else {}
    row = list(values) if isinstance(values, tuple) else [values]

    def fill(place: re.Match[str]) -> str:
        if place[3] == "%":
            return "%"
        if not place[1] and not row:
            return WITHHELD
        told = shown(named.get(place[1]) if place[1] else row.pop(0))
        try:
            return f"%{place[2]}{place[3]}" % told
        except (TypeError, ValueError, KeyError):
            return str(told)

    return _PLACE.sub(fill, template)


def foreign(template: str, path: str) -> str:
    """Return the first line of another package's template if it stands in its code just so, else nothing.

    Others build their texts of what they were given: then it is nowhere in the code.
    """
    first = template.partition("\n")[0]
    code = _code(path)
    is_literal = f'"{first}' in code or f"'{first}" in code
    return first if first and is_literal else WITHHELD


@lru_cache(FILES_MAX)
def _code(path: str) -> str:
    """Return what stands in a file: it is asked for at every line that comes from there."""
    return "".join(linecache.getlines(path))


def trace(trouble: BaseException) -> str:
    """Return where an exception was raised, and what it came of: kinds and places, no texts."""
    told: list[str] = []
    one: BaseException | None = trouble
    while one is not None and len(told) < CAUSES_MAX:
        frames = _frames(one.__traceback__)
        told.append("\n".join([f"{_kind(one)}:", *(f"  {frame}" for frame in frames)]))
        if isinstance(one, BaseExceptionGroup):
            told.extend(trace(inner) for inner in one.exceptions[:CAUSES_MAX])
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return "\ncame of ".join(told)


def stack(innermost: FrameType) -> str:
    """Return where a thread is, the innermost frame last: places, no values."""
    frames = traceback.StackSummary.extract(
        traceback.walk_stack(innermost), limit=FRAMES_MAX, lookup_lines=False
    )
    return "\n".join(f"  {_place(one)}" for one in reversed(frames))


def _kind(trouble: BaseException) -> str:
    """The class, and the numbers by which others call the error: an HTTP status, the carrier's code."""
    numbers = (getattr(trouble, name, None) for name in ("status", "code", "errno"))
    told = [str(shown(one)) for one in numbers if isinstance(one, int) and one]
    return " ".join([type(trouble).__qualname__, *told])


def _raised(trouble: BaseException) -> str:
    places = _frames(trouble.__traceback__)
    return f"{_kind(trouble)} ({places[-1]})" if places else _kind(trouble)


def _frames(begin: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(begin, limit=-FRAMES_MAX)
    return [_place(one) for one in frames]


def _place(one: traceback.FrameSummary) -> str:
    return f"{_short(one.filename)}:{one.lineno} in {one.name}"


def _short(path: str) -> str:
    return "/".join(PurePath(path).parts[-3:])
