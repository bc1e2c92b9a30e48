"""A branch: the journal of one call while the store can't take it.

    the store       1 2 3 4 5
                            └── the branch   6 7 8 …     read and written here, under the same rules

It grows from a position of the store's journal (or from nothing, for a call that rang meanwhile), takes
writes under a fence, answers reads, and lists what the store is still to be told. Its positions are
those that the store will give, unless somebody outside wrote there meanwhile: then it is `is_shifted`,
and its readers have to begin anew when it ends.

No I/O, no clock.
"""

from collections import deque
from collections.abc import Sequence
from typing import assert_never

from msgspec.structs import replace

from service.journal.behind.entries import (
    Entry,
    Leaving,
    Minding,
    Opening,
    Shelved,
    Taking,
    Writing,
    bodies,
    weight,
)
from service.journal.values import (
    RECORDS_MAX,
    Appended,
    Behind,
    Claim,
    Durability,
    Fenced,
    Full,
    Known,
    Lease,
    Missing,
    Reading,
    Record,
)

ENTRIES_MAX = 20_000  # a talkative call writes three a second: nearly two hours of it
BYTES_MAX = 8_388_608  # what one call may hold back: 20,000 facts of the usual size
RECORDS_KEPT = 256  # flushed records that readers may still ask for while a slow store is followed


class Branch:
    """One call's provisional journal. Its life ends when the store has all of it, or won't have it."""

    def __init__(
        self, name: str, call_sid: str, *, incarnation: str, epoch: int, head: int, at_ms: int
    ) -> None:
        self.name = name
        self.call_sid = call_sid
        self.incarnation = incarnation
        self.epoch = epoch
        self.owner = ""  # whose claims these are
        self.since = head  # readers find here what follows this position
        self.head = head
        self.begun_ms = at_ms
        self._root = Shelved(name, call_sid, incarnation, epoch, head)
        self.records: list[Record] = []
        self.entries: deque[Entry] = deque()
        self.keys: dict[str, int] = {}
        self.bytes = 0  # of the entries
        self.waiting = 0  # records among them
        self.again_s = self.wait_s = 0.0  # not flushed before, for so long: the event loop's clock
        # How it stands with the store.
        self.fence = epoch
        self.place = head  # how far the store's journal goes
        self.store_incarnation = incarnation
        self.is_shifted = False
        self.is_fenced = False
        self.is_missing = False
        self.lost: list[Writing] = []  # refused, and not told of yet
        self.next: Branch | None = None  # another process's of the same call, to be told after it

    @property
    def is_whole(self) -> bool:
        """Whether all of the call is here."""
        return self.since == 0

    @property
    def is_told(self) -> bool:
        """Whether the store has all that it will take, and knows of what it won't."""
        return not self.entries and not self.lost

    @property
    def untold(self) -> tuple[Entry, ...]:
        """What a process after this one would have to tell the store, in order."""
        return (*self.lost, *self.entries)

    @property
    def is_full(self) -> bool:
        """Whether it takes no more."""
        return len(self.entries) >= ENTRIES_MAX or self.bytes >= BYTES_MAX

    def shelved(self, entry: Entry | None) -> Shelved:
        """Return what the shelf keeps of `entry`; None says that the branch is done."""
        return replace(self._root, entry=entry)

    def show(self, writings: Sequence[Writing]) -> None:
        """Let readers see what the store has already. Before anything is written."""
        for writing in writings:
            self._stand(writing)
        self.place = self.head
        self._root = replace(self._root, head=self.head)

    def restore(self, entry: Entry) -> None:
        """Take an entry as it was found on a shelf; one that was found before is the same one."""
        match entry:
            case Opening() if self._is_unborn:
                self._begin(entry.bodies, entry.at_ms)
            case Taking() if entry.epoch > self.epoch:
                if self._is_unborn:
                    self._begin(entry.bodies, entry.at_ms)
                self.epoch, self.owner = entry.epoch, entry.owner
            case Writing() if entry.key not in self.keys:
                if (
                    entry.first != self.head + 1
                ):  # what stood between is with the store, or was lost
                    self.records.clear()
                    self.since = entry.first - 1
                self._stand(entry)
            case Opening() | Taking() | Writing():
                return
            case Leaving() | Minding():
                pass
            case _:
                assert_never(entry)
        self.enlist(entry)

    def leave(self) -> None:
        """Nobody holds the call as far as is known here, and all that was found of it is restored.

        It may be over for all who did not know of this, and released: then it has to be looked after again.
        """
        if self.entries and not isinstance(last := self.entries[-1], Leaving | Minding):
            self.enlist(Minding(last.at_ms))

    def enlist(self, entry: Entry) -> None:
        """Add what the store is to be told."""
        self.entries.append(entry)
        self._weigh(entry, 1)

    def put_before(self, writings: Sequence[Writing]) -> None:
        """Tell the store first what it has lost of what it acknowledged."""
        for writing in reversed(writings):
            self.entries.appendleft(writing)
            self._weigh(writing, 1)

    def open(self, bodies: Sequence[bytes], at_ms: int) -> Opening:
        """Begin the call, which is not in the store as far as anybody here knows."""
        opening = Opening(tuple(bodies), at_ms)
        self._begin(opening.bodies, at_ms)
        self.enlist(opening)
        return opening

    def claim(self, bodies: Sequence[bytes], *, owner: str, until_ms: int, at_ms: int) -> Taking:
        """Take the call: the fence grows by one, provisionally."""
        taking = Taking(tuple(bodies), owner, self.epoch + 1, until_ms, at_ms)
        if self._is_unborn:
            self._begin(taking.bodies, at_ms)
        self.epoch += 1
        self.owner = owner
        self.enlist(taking)
        return taking

    def claimed(self, known: Known | None, before: Lease | None) -> Claim | None:
        """Return what a claimer is told; None when it must know more than is here."""
        if known is not None and self.can_read(known.incarnation, known.position):
            after = known.position
        elif self.is_whole:
            after = 0
        else:
            return None
        return Claim(
            epoch=self.epoch,
            incarnation=self.incarnation,
            is_new=False,
            snapshot=None,
            records=self.after(after),
            lease=before,
            since=after,
        )

    def append(
        self, bodies: Sequence[bytes], *, epoch: int | None, after: int | None, key: str, at_ms: int
    ) -> Writing | Appended | Fenced | Behind | Full:
        """Write `bodies`, by the rules of Journal.append. A Writing is written."""
        if key in self.keys:
            return Appended(self.keys[key], Durability.MEMORY, repeated=True)
        if epoch is not None and epoch != self.epoch:
            return Fenced(self.epoch)
        if after is not None and after != self.head:
            return Behind(self.head)
        if self.head + len(bodies) > RECORDS_MAX:
            return Full()
        writing = Writing(tuple(bodies), epoch, key, at_ms, self.head + len(bodies))
        self._stand(writing)
        self.enlist(writing)
        return writing

    def can_read(self, incarnation: str | None, after: int) -> bool:
        """Say whether what follows `after` is all here."""
        return incarnation in (None, self.incarnation) and self.since <= after <= self.head

    def after(self, position: int) -> tuple[Record, ...]:
        """Return the records that follow `position`."""
        return tuple(self.records[max(0, position - self.since) :])

    def reading(self, after: int) -> Reading:
        """Return what Journal.read promises, for a position that can be read here."""
        name = self.name if self.may_move(self.head) else ""
        return Reading(self.incarnation, self.epoch, self.head, None, self.after(after), name)

    def may_move(self, position: int) -> bool:
        """Say whether the record at `position` may come to stand elsewhere."""
        return self.is_shifted or position > self.place

    def joined(self, reading: Reading | Missing) -> Reading | Missing:
        """Return what the store has before this branch, and the branch behind it."""
        if isinstance(reading, Missing):
            return self.reading(0) if self.is_whole else reading
        before = tuple(one for one in reading.records if one.position <= self.since)
        snapshot = reading.snapshot
        if snapshot is not None and snapshot.position > self.since:
            snapshot = None
        told = before + tuple(self.records)
        return replace(self.reading(self.head), snapshot=snapshot, records=told)

    def told(self, entry: Entry) -> None:
        """The store knows `entry`, which was the first in the list."""
        assert self.entries[0] is entry
        self.entries.popleft()
        self._weigh(entry, -1)

    def lose(self) -> None:
        """Somebody else has the call.

        Its own writes are still looked for by their keys, for some may be there: under epoch 0,
        which no call that was ever taken has, so that none is written now.
        """
        self.is_fenced = True
        self.fence = 0

    def stands(self, writing: Writing, position: int) -> None:
        """The store has `writing`, the first in the list, and its last record stands at `position`."""
        self.told(writing)
        self.place = max(self.place, position)
        self.is_shifted |= position != writing.position
        if not self.is_shifted and len(self.records) > RECORDS_KEPT:
            done = max(0, self.place - self.since - RECORDS_KEPT)
            del self.records[:done]
            self.since += done

    def refused(self, writing: Writing) -> None:
        """The store won't take `writing`, the first in the list: it is still to know what was lost."""
        self.told(writing)
        self.lost.append(writing)

    def drop(self) -> None:
        """The store will never take the rest."""
        self.entries.clear()
        self.lost.clear()
        self.bytes = self.waiting = 0
        self.is_shifted = True

    def _weigh(self, entry: Entry, sign: int) -> None:
        self.bytes += sign * weight(entry)
        self.waiting += sign * len(bodies(entry))

    @property
    def _is_unborn(self) -> bool:
        return not self.epoch and not self.head and not self.entries

    def _begin(self, bodies: tuple[bytes, ...], at_ms: int) -> None:
        for body in bodies:
            self.head += 1
            self.records.append(Record(self.head, 0, at_ms, body))

    def _stand(self, writing: Writing) -> None:
        for position, body in enumerate(writing.bodies, writing.first):
            self.records.append(Record(position, writing.epoch or 0, writing.at_ms, body))
        self.head = writing.position
        self.keys[writing.key] = writing.position
