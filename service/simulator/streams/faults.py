"""The harms that can come to a media stream: a closed set, each with its name.

    close close=1001 close=1012 eof reset    the socket ends: a close frame, a bare TCP end, a TCP reset
    half-open[=5s]                           nothing is read or written any more; the socket stays so long
    late-stop                                the old stream's `stop` comes after the new stream's `start`
    double-webhook                           the next document is asked for twice and gives two streams
    redial[=1s]                              the same stream is dialled again; no webhook is asked
    stall[=800ms]  duplicate-start           no drop: frames pause and then burst; `start` comes twice

None of the drops sends `stop` first: that is what makes them drops.
"""

from typing import assert_never

import msgspec

from service.simulator.streams.line import Line
from service.simulator.words import duration_ms

STALL_MS_DEFAULT = 800  # bursts after a pause of this order were seen in the field
STALL_MS_MAX = 60_000  # nobody stays on a line that is dead for longer
CLOSE_CODES = (1000, 1001, 1011, 1012)  # what proxies, deploys and clean ends send


class Close(msgspec.Struct, frozen=True, tag=True):
    """A close frame with this code."""

    code: int = 1000


class Eof(msgspec.Struct, frozen=True, tag=True):
    """The TCP connection ends without a close frame (1006 on the service's side)."""


class Reset(msgspec.Struct, frozen=True, tag=True):
    """The TCP connection is reset."""


class HalfOpen(msgspec.Struct, frozen=True, tag=True):
    """Nothing is read or written any more; the socket goes away `hold_ms` later (0: the carrier's pace)."""

    hold_ms: int = 0


class LateStop(msgspec.Struct, frozen=True, tag=True):
    """Media ceases, a new stream starts, and only then the old one says `stop`."""


class DoubleWebhook(msgspec.Struct, frozen=True, tag=True):
    """The socket ends, and the carrier asks for the next document twice and opens both streams."""


class Redial(msgspec.Struct, frozen=True, tag=True):
    """The socket ends, and the carrier dials the same stream again without asking anybody."""

    after_ms: int = 0


class Stall(msgspec.Struct, frozen=True, tag=True):
    """No frame comes for a while, then all that are due come at once."""

    duration_ms: int = STALL_MS_DEFAULT


class DuplicateStart(msgspec.Struct, frozen=True, tag=True):
    """`start` comes a second time on the same socket."""


Fault = Close | Eof | Reset | HalfOpen | LateStop | DoubleWebhook | Redial | Stall | DuplicateStart

_PLAIN: dict[str, Fault] = {
    "close": Close(),
    "eof": Eof(),
    "reset": Reset(),
    "half-open": HalfOpen(),
    "late-stop": LateStop(),
    "double-webhook": DoubleWebhook(),
    "redial": Redial(),
    "stall": Stall(),
    "duplicate-start": DuplicateStart(),
}
NAMES = tuple(_PLAIN)


def parse(text: str) -> Fault:
    """Read a fault's name and its optional value; raises ValueError with one clear sentence."""
    name, equals, value = text.partition("=")
    if name not in _PLAIN:
        raise ValueError(f"{name!r} is no fault: choose among {', '.join(NAMES)}")
    if not equals:
        return _PLAIN[name]
    match name:
        case "close" if value in {str(code) for code in CLOSE_CODES}:
            return Close(int(value))
        case "close":
            raise ValueError(
                f"close takes one of {', '.join(map(str, CLOSE_CODES))}, not {value!r}"
            )
        case "half-open":
            return HalfOpen(_bounded(value))
        case "redial":
            return Redial(_bounded(value))
        case "stall":
            return Stall(_bounded(value))
        case _:
            raise ValueError(f"{name} takes no value")


def name(fault: Fault) -> str:
    """Return the fault's name, as `parse` reads it."""
    plain = next(name for name, known in _PLAIN.items() if type(known) is type(fault))
    return f"close={fault.code}" if isinstance(fault, Close) else plain


def is_drop(fault: Fault) -> bool:
    """Say whether a new stream must follow."""
    return not isinstance(fault, Stall | DuplicateStart)


async def harm(line: Line, fault: Fault) -> None:
    """Do it to a live line. Returns when the harm is done, within a second; raises nothing."""
    match fault:
        case Close(code):
            await line.close(code)
        case Eof():
            line.end()
        case Reset() | DoubleWebhook() | Redial():
            line.reset()
        case HalfOpen():
            line.freeze()
        case LateStop():
            line.leave()
        case Stall(duration):
            line.stall(duration)
        case DuplicateStart():
            await line.start_again()
        case _:
            assert_never(fault)


def _bounded(text: str) -> int:
    wanted = duration_ms(text)
    if wanted > STALL_MS_MAX:
        raise ValueError(f"{text} is longer than {STALL_MS_MAX // 1_000} s")
    return wanted
