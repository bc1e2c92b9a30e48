"""The promise that every backend keeps: the append-only facts of a call.

    open ──> claim ──> append, append, append … ──> (drop) ──> claim ──> append …
             epoch 1                                          epoch 2

The rules, each held by the one suite that all backends run:

1.  Positions are 1, 2, 3 … without gaps. A record, once acknowledged, is never lost or changed.
2.  The fence is checked in the same atomic step as the append: a write of an older epoch is refused.
3.  A write with a key that was used before on this call changes nothing and returns the first answer.
4.  A claim (epoch + 1) is durable before it returns.
5.  A reader's position means something only within one incarnation. When the store lost records the
    incarnation changes, and tails say `Reset`.
6.  A call is looked after by whoever holds its lease. When that is over, the call is `lapsed` until
    it is claimed, adopted or released; nobody looks after it twice.
7.  The store sees opaque bytes. It knows nothing of what a fact says.

Losing a race is a value, not an exception. `StoreUnavailable` is raised when the store can't answer.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol

from service.journal.values import (
    Claim,
    Durability,
    Ear,
    Fenced,
    Gone,
    Headline,
    Known,
    Lease,
    Missing,
    Outcome,
    Reading,
    Record,
    Reset,
    Room,
    Spent,
    Unspendable,
)


class Journal(Protocol):
    """What every backend promises. All times are milliseconds since the Unix epoch."""

    async def start(self) -> None:
        """Connect and prepare the store. Raises StoreUnavailable."""
        ...

    async def close(self) -> None:
        """Finish what was accepted, then let go of files and sockets."""
        ...

    async def check(self, *, now_ms: int) -> Durability:
        """Write and read back for real, and say how durable writes are. Raises StoreUnavailable."""
        ...

    async def open(self, call_sid: str, opening: Sequence[bytes], *, now_ms: int) -> Headline:
        """Begin a call's journal at epoch 0 with `opening`; a call already there is left as it is."""
        ...

    async def claim(
        self,
        call_sid: str,
        opening: Sequence[bytes],
        *,
        owner: str,
        until_ms: int,
        now_ms: int,
        known: Known | None = None,
        expected: int | None = None,
    ) -> Claim | Fenced:
        """Take the call: epoch + 1, lease to `owner`. Opens it with `opening` when it is not there.

        With `known`, only what follows that is read, as long as it stands. With `expected`, the call is
        taken in the same step only while its epoch is this one (0 with no such call); otherwise
        nothing is changed and the answer is `Fenced`. Without `expected` it never is.
        """
        ...

    async def append(
        self,
        call_sid: str,
        bodies: Sequence[bytes],
        *,
        epoch: int | None,
        after: int | None,
        key: str,
        now_ms: int,
    ) -> Outcome:
        """Write all of `bodies`, at least one, or none.

        The owner passes its `epoch` and the position `after` which it writes. Writers outside (notes,
        callbacks, the API) pass None for both: they hold no fence, and say only what needs none.
        An epoch other than the call's, older or newer (the store went back), is `Fenced`.

        Raises StoreUnavailable, also when it is not known whether the write arrived: repeat it with
        its key. Raises ValueError for what no journal takes (see limits.py), before it is written.
        """
        ...

    async def read(self, call_sid: str, *, after: int = 0) -> Reading | Missing:
        """Return the records after `after`, and the newest snapshot."""
        ...

    def tail(
        self, call_sid: str, *, incarnation: str | None, after: int
    ) -> AsyncGenerator[Record | Reset | Gone, None]:
        """Yield the backlog after `after`, then what comes, without gap or duplicate, until `Gone`.

        An `incarnation` that is not the present one, or an `after` beyond the head, yields `Reset`
        first and then everything from position 1. None means "whatever is there". A call that is
        not there is `Gone` at once. Raises StoreUnavailable; the reader then begins a new tail at the
        position it has. Close it (`contextlib.aclosing`) or cancel the reader, and it is freed.
        """
        ...

    def listen(self, call_sid: str, ear: Ear) -> Callable[[], None]:
        """Have `ear` told, on the event loop, whenever there may be news of the call, from whomever.

        It is told of its own writer's records as well, and now and then of nothing new: it is to read, unless it
        knows as much. A ring may get lost with a connection, so it looks by itself now and then, too. What is
        returned ends that, once.
        """
        ...

    async def snapshot(self, call_sid: str, *, epoch: int, position: int, body: bytes) -> bool:
        """Keep the folded state as of `position`, unless a newer one is kept.

        False when the fence has moved on, or the journal does not go as far.
        """
        ...

    async def lease(
        self, call_sid: str, *, epoch: int, owner: str, until_ms: int, now_ms: int
    ) -> bool:
        """Renew the hold on a call and its time to live. False when the fence has moved on.

        A call that was adopted or released meanwhile is the caller's again.
        """
        ...

    async def adopt(
        self, call_sid: str, *, lapsed: Lease | None, owner: str, until_ms: int, now_ms: int
    ) -> bool:
        """Take the duty to look after a call whose lease is over. True for exactly one asker.

        That is, only while the stored lease equals `lapsed` (None: never claimed) and has run out at
        `now_ms`; then it is the asker's until `until_ms`. The fence and the time to live stay as
        they are: an owner that only slept may go on. False for a released or missing call, too.
        """
        ...

    async def release(self, call_sid: str, *, epoch: int) -> bool:
        """Say that nobody needs to look after this call any more: it ended.

        It is not `lapsed` again until it is claimed or its owner renews. False when the fence has
        moved on.
        """
        ...

    async def lapsed(self, *, now_ms: int, limit: int) -> tuple[Headline, ...]:
        """Return the calls that somebody should look after, longest over first, at most `limit`.

        These are the calls that are not released and whose lease is over, or that were opened
        UNCLAIMED_MS ago and never claimed. At most LAPSED_MAX are told of at once. When calls
        are claimed meanwhile the order may be that of a moment ago.
        """
        ...

    async def remember(self, name: str, call_sid: str, *, ttl_ms: int, now_ms: int) -> None:
        """Let `name` mean this call for `ttl_ms`, in place of any other call it meant.

        The call need not be there. Erasing it makes its names forgotten.
        """
        ...

    async def recall(self, name: str, *, now_ms: int) -> str | None:
        """Return the call that `name` means, None when it means none (any more)."""
        ...

    async def spend(
        self,
        call_sid: str,
        nonce: str,
        *,
        stream_sid: str,
        window_ms: int,
        uses_max: int,
        now_ms: int,
    ) -> Spent | Unspendable:
        """Use a stream token, atomically across all processes.

        The first use is always accepted, of a call that is not opened yet too. A further one only from the same `stream_sid`, within
        `window_ms` of the use before, and at most `uses_max` times in all.
        """
        ...

    async def open_calls(self) -> tuple[Headline, ...]:
        """Return every call in the journal, oldest first."""
        ...

    async def room(self) -> Room:
        """Return what the calls take, and at most OVER_MAX of those that were released."""
        ...

    async def erase(self, call_sid: str) -> bool:
        """Delete all of the call, now. False when there was nothing."""
        ...

    async def prune(self, call_sid: str) -> bool:
        """Erase the call if it is released, in the same step as that is looked at; else it stays: False.

        Tokens that were spent on it stay spent: one may be for a claim that comes now and opens it anew.
        """
        ...

    async def sweep(self, *, now_ms: int) -> int:
        """Delete calls past their time to live; return how many."""
        ...
