"""A call that this process holds: where its journal stands, and its newest writes.

The newest writes are kept for two reasons. A store that failed over may have lost its last records
though it had acknowledged them; they are written again from here. And a branch that begins at a
moment when its owner has not yet read what others wrote can show it these.
"""

from service.journal.behind.entries import Writing, weight

RING_WRITES_MAX = 128  # a call writes some three times a second; a fail-over takes under ten
RING_BYTES_MAX = (
    65_536  # so that 5,000 held calls keep at most 320 MiB; the usual call keeps 20 KiB
)


class Held:
    """What the store acknowledged of one call, as far as this process knows."""

    def __init__(
        self, call_sid: str, *, owner: str, incarnation: str, epoch: int, head: int, lease_ms: int
    ) -> None:
        self.call_sid = call_sid
        self.owner = owner
        self.incarnation = incarnation
        self.epoch = epoch
        self.head = head
        self.lease_ms = lease_ms
        self.is_rebased = False  # the owner's records moved, and it does not know yet
        self._ring: list[Writing] = []
        self._bytes = 0

    def by(self, owner: str, lease_ms: int) -> "Held":
        """Note who holds it now, for how long without a renewal."""
        self.owner, self.lease_ms = owner, lease_ms
        return self

    def wrote(self, writing: Writing) -> None:
        """Take note of an acknowledged write."""
        if writing.position <= self.head:
            return
        if writing.first != self.head + 1:
            self._forget()
        self.head = writing.position
        self._ring.append(writing)
        self._bytes += weight(writing)
        while len(self._ring) > RING_WRITES_MAX or self._bytes > RING_BYTES_MAX:
            self._bytes -= weight(self._ring.pop(0))

    def saw(self, head: int) -> None:
        """Take note of how far the store's journal goes."""
        if head > self.head:
            self._forget()
            self.head = head

    def rewound(self, head: int, asked_at: int) -> tuple[Writing, ...]:
        """Take note of how far the store's journal goes; return what is kept beyond that: it is lost.

        `asked_at` is our head when the question was put. Answers overtake each other: what was
        acknowledged since then isn't lost because an older answer has not heard of it.
        """
        if head >= min(asked_at, self.head):
            self.saw(head)
            return ()
        lost = self.since(head)
        while self._ring and self._ring[-1].position > head:
            self._bytes -= weight(self._ring.pop())
        self.head = head
        return lost

    def moved(self, *, incarnation: str, head: int) -> None:
        """Take note that the journal has another name now, or is numbered otherwise than was told."""
        self.incarnation = incarnation
        self.saw(head)
        self.is_rebased = True

    @property
    def known_from(self) -> int:
        """The position after which every write is kept here."""
        return self._ring[0].first - 1 if self._ring else self.head

    def since(self, position: int) -> tuple[Writing, ...]:
        """Return the kept writes that reach beyond `position`."""
        return tuple(one for one in self._ring if one.position > position)

    def _forget(self) -> None:
        self._ring.clear()
        self._bytes = 0
