"""What a scripted caller does: the words of the command line, read into values.

    what is said     FILE.ulaw · FILE.wav · pause:1.5s          one after the other, politely
    --drop-at        3.2s[:KIND]                                a fault at a time (kinds: faults.py)
    --drop-on        agent-speaks:N[+MS][:KIND]                 into the N-th stretch of agent speech
                     caller-speaks:N[+MS][:KIND]                into the N-th utterance of the caller
    --digits-at      8s:1w2                                     the service is asked to send digits
    --press-at       5s:12#                                     the caller presses keys
    --hang-up-at     20s                                        the caller hangs up

Times count from the first stream's start. Every wrong word is a ValueError with one clear sentence.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from service.simulator import recording
from service.simulator.phone import KEYS
from service.simulator.streams import faults
from service.simulator.words import duration_ms

LINES_MAX = 200  # utterances and pauses of one call
CUES_MAX = 200  # things that happen in one call

_CONDITION = re.compile(r"(agent|caller)-speaks:([0-9]{1,4})(?:\+([0-9.]+(?:ms|s)?))?(?::(.*))?")
_SENT_DIGITS = re.compile(r"[0-9A-D#*w]{1,100}")


class Say(msgspec.Struct, frozen=True, tag=True):
    """An utterance; `name` is its file's name."""

    name: str
    ulaw: bytes


class Wait(msgspec.Struct, frozen=True, tag=True):
    """A pause between two utterances."""

    length_ms: int


class AtTime(msgspec.Struct, frozen=True, tag=True):
    """A time since the first stream's start."""

    at_ms: int


class AgentSpeaks(msgspec.Struct, frozen=True, tag=True):
    """A time into the agent's `number`-th stretch of speech, counted from 1."""

    number: int
    plus_ms: int = 0


class CallerSpeaks(msgspec.Struct, frozen=True, tag=True):
    """A time into the caller's `number`-th utterance, counted from 1."""

    number: int
    plus_ms: int = 0


class Drop(msgspec.Struct, frozen=True, tag=True):
    """A fault comes to the stream."""

    fault: faults.Fault


class AskDigits(msgspec.Struct, frozen=True, tag=True):
    """The service is asked, by its own API, to send digits into the call."""

    digits: str


class Press(msgspec.Struct, frozen=True, tag=True):
    """The caller presses keys."""

    digits: str


class HangUpNow(msgspec.Struct, frozen=True, tag=True):
    """The caller hangs up."""


When = AtTime | AgentSpeaks | CallerSpeaks
What = Drop | AskDigits | Press | HangUpNow
Line = Say | Wait


class Cue(msgspec.Struct, frozen=True):
    """What happens, and when."""

    when: When
    what: What


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """All that the caller does. `talk_over` begins to speak at once and waits for nobody."""

    lines: tuple[Line, ...] = ()
    cues: tuple[Cue, ...] = ()
    talk_over: bool = False
    length_ms_max: int = 60_000


def line(text: str) -> Line:
    """Read one thing to say: an audio file, or `pause:1.5s`."""
    if text.startswith("pause:"):
        return Wait(duration_ms(text.removeprefix("pause:")))
    return Say(Path(text).stem, recording.read(Path(text)))


def drop_at(text: str) -> Cue:
    """Read "3.2s" or "3.2s:KIND"."""
    time, _, kind = text.partition(":")
    return Cue(AtTime(duration_ms(time)), Drop(faults.parse(kind or "reset")))


def drop_on(text: str) -> Cue:
    """Read "agent-speaks:2+300" or "caller-speaks:1+0.5s:KIND"; a plain number is in milliseconds."""
    found = _CONDITION.fullmatch(text)
    if found is None or not int(found[2]):
        raise ValueError(f"{text!r} is no condition: write agent-speaks:N+MS or caller-speaks:N+MS")
    plus = found[3] or "0"
    plus_ms = duration_ms(plus if plus.endswith("s") else plus + "ms")
    when = AgentSpeaks if found[1] == "agent" else CallerSpeaks
    return Cue(when(int(found[2]), plus_ms), Drop(faults.parse(found[4] or "reset")))


def digits_at(text: str) -> Cue:
    """Read "8s:1w2"."""
    time, _, digits = text.partition(":")
    if not _SENT_DIGITS.fullmatch(digits):
        raise ValueError(f"{text!r} names no digits: write 8s:1w2 with 0-9, A-D, #, * and w")
    return Cue(AtTime(duration_ms(time)), AskDigits(digits))


def press_at(text: str) -> Cue:
    """Read "5s:12#"."""
    time, _, digits = text.partition(":")
    if not digits or set(digits) - KEYS:
        raise ValueError(f"{text!r} names no keys: write 5s:12# with 0-9, A-D, # and *")
    return Cue(AtTime(duration_ms(time)), Press(digits))


def script(
    says: Sequence[str],
    *,
    drops_at: Sequence[str] = (),
    drops_on: Sequence[str] = (),
    digits: Sequence[str] = (),
    presses: Sequence[str] = (),
    hang_up: str = "",
    talk_over: bool = False,
    length: str = "60s",
) -> Script:
    """Read all the words of a command line."""
    cues = [
        *map(drop_at, drops_at),
        *map(drop_on, drops_on),
        *map(digits_at, digits),
        *map(press_at, presses),
    ]
    if hang_up:
        cues.append(Cue(AtTime(duration_ms(hang_up)), HangUpNow()))
    if len(says) > LINES_MAX or len(cues) > CUES_MAX:
        raise ValueError(f"a call has at most {LINES_MAX} utterances and {CUES_MAX} happenings")
    return Script(
        lines=tuple(map(line, says)),
        cues=tuple(cues),
        talk_over=talk_over,
        length_ms_max=duration_ms(length),
    )
