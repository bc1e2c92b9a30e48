"""A recorded call as a file: a head line, then one record a line, all JSON. Sans-I/O.

    {"format":"stayline-journal","version":1,"call_sid":"CA…","incarnation":"…","records":57,"policy":{…},"state":"…"}
    {"position":1,"epoch":0,"at_ms":1700000000000,"fact":{"kind":"call_opened", …}}
    …

Facts stand there byte for byte as the journal had them, so a file of any version can be read by any other.
"""

from collections.abc import Iterable, Iterator

import msgspec

from service.call import events as e
from service.call.folds.fold import fold_all
from service.call.place import Place
from service.call.policy import Policy
from service.call.replay.sums import state_sum
from service.call.state import Call
from service.errors import BadRecording

FORMAT = "stayline-journal"
VERSION = 1
RECORDS_MAX = 51_200  # as many as the journal of one call takes
LINE_BYTES_MAX = 300_000  # a record's greatest body, and what stands around it
AT_MS_MAX = 1 << 53  # beyond it other readers of JSON lose digits


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What the first line says. `policy` is what decided then, None when nobody knows.

    `state` is the state's sum at the end (see sums.py), empty when nobody took it.
    """

    format: str = FORMAT
    version: int = VERSION
    call_sid: str = ""
    incarnation: str = ""
    records: int
    policy: Policy | None = None
    state: str = ""


class Entry(msgspec.Struct, frozen=True):
    """One record: its place, and the fact's own bytes."""

    position: int
    epoch: int
    at_ms: int
    fact: msgspec.Raw


class Recording(msgspec.Struct, frozen=True):
    """One recorded call."""

    head: Head
    entries: tuple[Entry, ...]

    def facts(self) -> Iterator[tuple[e.AnyFact, Place]]:
        """Yield each fact and its place."""
        for one in self.entries:
            yield e.decode(bytes(one.fact)), Place(one.position, one.epoch, one.at_ms)


def recorded(
    records: Iterable[tuple[int, int, bytes]],
    *,
    call_sid: str = "",
    incarnation: str = "",
    policy: Policy | None = None,
) -> Recording:
    """Make a recording of records from position 1 on: each an epoch, a moment in ms and a fact's JSON."""
    entries = tuple(
        Entry(position, epoch, at_ms, msgspec.Raw(body))
        for position, (epoch, at_ms, body) in enumerate(records, 1)
    )
    head = Head(call_sid=call_sid, incarnation=incarnation, records=len(entries), policy=policy)
    whole = Recording(head, entries)
    state = state_sum(fold_all(Call(), whole.facts()))
    return Recording(msgspec.structs.replace(head, state=state), entries)


def encode(recording: Recording) -> bytes:
    """Return the file."""
    return b"".join(
        msgspec.json.encode(line) + b"\n" for line in (recording.head, *recording.entries)
    )


def decode(text: bytes) -> Recording:
    """Read a file. Raises BadRecording with one sentence that names the line."""
    lines = text.splitlines()
    if not lines:
        raise BadRecording("the file is empty")
    head = _head(lines[0])
    if len(lines) - 1 > RECORDS_MAX:
        raise BadRecording(f"the file has more than {RECORDS_MAX} records")
    if len(lines) - 1 != head.records:
        raise BadRecording(
            f"the file has {len(lines) - 1} records, and its first line says {head.records}"
        )
    return Recording(head, tuple(_entry(number, line) for number, line in enumerate(lines[1:], 1)))


def _head(line: bytes) -> Head:
    try:
        head = msgspec.json.decode(line, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as trouble:
        raise BadRecording(f"line 1 is no head of a recorded call: {trouble}") from None
    if head.format != FORMAT:
        raise BadRecording(f"line 1 is no head of a recorded call: its format isn't {FORMAT}")
    if head.version != VERSION:
        raise BadRecording(f"the file is of version {head.version}; only {VERSION} can be read")
    return head


def _entry(number: int, line: bytes) -> Entry:
    if len(line) > LINE_BYTES_MAX:
        raise BadRecording(f"line {number + 1} is longer than {LINE_BYTES_MAX} bytes")
    try:
        one = msgspec.json.decode(line, type=Entry)
        e.decode(bytes(one.fact))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as trouble:
        raise BadRecording(f"line {number + 1} is no record: {trouble}") from None
    if one.position != number:
        raise BadRecording(f"line {number + 1} has position {one.position} instead of {number}")
    if one.epoch < 0 or not 0 <= one.at_ms <= AT_MS_MAX:
        raise BadRecording(f"line {number + 1}: an epoch or a moment is out of its range")
    return one
