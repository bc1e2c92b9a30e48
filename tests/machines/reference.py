"""The journal's promise in the fewest words: dictionaries, one thread, nothing durable."""

from dataclasses import dataclass, field

from service.journal.limits import UNCLAIMED_MS
from service.journal.values import Lease, Record, Snapshot


@dataclass
class ReferenceCall:
    """One call as every backend must show it."""

    incarnation: str
    opened_ms: int
    epoch: int = 0
    records: list[Record] = field(default_factory=list)
    keys: dict[str, int] = field(default_factory=dict)
    snapshot: Snapshot | None = None
    lease: Lease | None = None
    is_released: bool = False

    @property
    def head(self) -> int:
        """The position of the last record."""
        return len(self.records)

    @property
    def due_ms(self) -> int:
        """When somebody should look after it."""
        return self.opened_ms + UNCLAIMED_MS if self.lease is None else self.lease.until_ms

    def write(self, bodies: list[bytes], epoch: int, now_ms: int) -> None:
        """Add records behind the last."""
        for body in bodies:
            self.records.append(Record(self.head + 1, epoch, now_ms, body))

    def hold(self, owner: str, until_ms: int, now_ms: int) -> None:
        """Have the call held."""
        self.lease = Lease(owner, self.epoch, now_ms, until_ms)

    def is_lapsed(self, now_ms: int) -> bool:
        """Say whether nobody looks after it."""
        return not self.is_released and self.due_ms <= now_ms


@dataclass
class Reference:
    """All calls, what their names mean, and the tokens that were spent."""

    calls: dict[str, ReferenceCall] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    tokens: dict[tuple[str, str], tuple[str, int, int]] = field(default_factory=dict)

    def prune(self, call_sid: str) -> bool:
        """Forget a call that was released, but not its tokens; False when it was not."""
        call = self.calls.get(call_sid)
        if call is None or not call.is_released:
            return False
        del self.calls[call_sid]
        self.names = {name: sid for name, sid in self.names.items() if sid != call_sid}
        return True

    def erase(self, call_sid: str) -> bool:
        """Forget all of a call; False when there was nothing."""
        before = (len(self.calls), len(self.names), len(self.tokens))
        self.calls.pop(call_sid, None)
        self.names = {name: sid for name, sid in self.names.items() if sid != call_sid}
        self.tokens = {one: use for one, use in self.tokens.items() if one[0] != call_sid}
        return before != (len(self.calls), len(self.names), len(self.tokens))
