"""What stands in a journal, as the state of a call; and what was kept out of one, as a fact."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress

import msgspec

from service.call import events
from service.call.folds.fold import fold_all
from service.call.mind import in_mind
from service.call.snapshot import unpacked
from service.call.state import Call
from service.journal.values import Reading, Record, Snapshot

STEPS_AT_ONCE = 200  # half a millisecond of folding: then media of calls beside has its turn
ORPHANS_MAX = 200  # facts listed of a lost branch: a minute of talk
ORPHAN_CHARS_MAX = 65_536  # of them together, a quarter of what one record may have


def folded(call: Call, records: Iterable[Record]) -> Call:
    """Fold stored records into `call`."""
    return fold_all(call, ((events.decode(record.body), record) for record in records))


def rebuilt(snapshot: Snapshot | None, records: Iterable[Record]) -> Call:
    """Return the state from a snapshot and what follows it."""
    return folded(unpacked(snapshot.body) if snapshot else Call(), records)


async def recalled(snapshot: Snapshot | None, records: Sequence[Record]) -> Call:
    """Return what the holder of a call keeps in mind of it.

    It is bounded as it grows, so that ten times as many records take ten times as long, and not a hundred
    times. A long one is folded in several turns of the loop.
    """
    call = in_mind(rebuilt(snapshot, records[:STEPS_AT_ONCE]))
    for first in range(STEPS_AT_ONCE, len(records), STEPS_AT_ONCE):
        await asyncio.sleep(0)
        call = in_mind(folded(call, records[first : first + STEPS_AT_ONCE]))
    return call


async def as_it_stands(reading: Reading) -> Call:
    """Return what a call's holder would keep in mind of it, for somebody else who has read all of it.

    What was folded before is not folded again, unless other code than this did it.
    """
    kept = reading.snapshot
    if kept is not None:
        later = [record for record in reading.records if record.position > kept.position]
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            return await recalled(kept, later)
    return await recalled(None, reading.records)


def tenant_of(opening: Sequence[bytes]) -> str:
    """Return whose a call is by its opening facts; "" for facts that do not say."""
    for body in opening[:1]:
        try:
            fact = events.decode(body)
        except (msgspec.MsgspecError, ValueError):
            return ""
        if isinstance(fact, events.CallOpened):
            return fact.tenant
    return ""


def orphaned(epoch: int, bodies: Sequence[bytes]) -> bytes:
    """Make the fact that lists what another owner's claim kept out of a journal."""
    lost: list[str] = []
    chars = 0
    for body in bodies:
        chars += len(body)
        if len(lost) >= ORPHANS_MAX or chars > ORPHAN_CHARS_MAX:
            break
        lost.append(body.decode(errors="replace"))
    return events.encode(events.BranchOrphaned(epoch=epoch, count=len(bodies), lost=tuple(lost)))
