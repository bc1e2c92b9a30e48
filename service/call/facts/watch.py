"""The facts of those who watch over a call from outside: its stream broke, its server was gone or went wrong."""

from service.call.facts.fact import Fact


class StreamError(Fact, frozen=True):
    """The carrier told one of our servers that a stream broke; its holder may not know yet. *Outside*.

    `code` is the carrier's number for it, 0 when it gave none.
    """

    stream_sid: str
    code: int = 0


class BranchOrphaned(Fact, frozen=True):
    """Facts written under `epoch` while the store was away, when another owner took the call. *Outside*.

    They are no part of the conversation as it went on. `lost` lists them as JSON, but for one that
    is longer than 64 KiB; `count` counts all. Many are listed by several of these.
    """

    epoch: int
    count: int
    lost: tuple[str, ...] = ()


class CallAdopted(Fact, frozen=True):
    """Nobody had held the call since `seen_ms`; `server` has the carrier lead it back. *Outside*."""

    server: str
    seen_ms: int


class StateDiffered(Fact, frozen=True):
    """What `server` went on with up to `position` was not what the records give; it was folded anew. *Outside*.

    `names` are those of the fields of the state that differ, without their values.
    """

    server: str
    position: int
    names: tuple[str, ...] = ()
