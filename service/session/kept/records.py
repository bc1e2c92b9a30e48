"""What stands in a journal, as the state of a call; and what was kept out of one, as a fact."""

from collections.abc import Iterable, Sequence

import msgspec

from service.call import events, state
from service.call.folds.fold import fold_all
from service.call.place import Place
from service.call.state import Call
from service.journal.values import Record, Snapshot

ORPHANS_MAX = 200  # facts listed of a lost branch: a minute of talk
ORPHAN_CHARS_MAX = 65_536  # of them together, a quarter of what one record may have


def folded(call: Call, records: Iterable[Record]) -> Call:
    """Fold stored records into `call`."""
    return fold_all(
        call,
        (
            (events.decode(record.body), Place(record.position, record.epoch, record.at_ms))
            for record in records
        ),
    )


def rebuilt(snapshot: Snapshot | None, records: Iterable[Record]) -> Call:
    """Return the state from a snapshot and what follows it."""
    return folded(state.decode(snapshot.body) if snapshot else Call(), records)


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
