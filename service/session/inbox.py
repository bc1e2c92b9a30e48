"""A session's letters: one row, taken one after the other.

What the carrier can send faster than we can write is bounded here. What is ours (a stream's arrival and
end, an answer, news of other writers) always finds room: each is bounded where it comes from, and
to lose one would leave somebody waiting.
"""

import logging
from dataclasses import dataclass
from typing import TypeAlias

from service.call import inputs as i
from service.session.arrival import AGAIN, Arrival
from service.waiting import Row

INBOX_MAX = 1_000  # twenty seconds of keys pressed at machine speed; then the sender is at fault

_FROM_THE_WIRE = (i.Key, i.SpeechBegan, i.PartlyHeard, i.BargedIn)

_log = logging.getLogger(__name__)


class News:
    """Others wrote to this call's journal."""


class Finish:
    """This process is going down."""


@dataclass(frozen=True)
class Lost:
    """The socket of `epoch` is gone."""

    epoch: int
    reason: str


@dataclass(frozen=True)
class Taken:
    """The store says that the call is not ours under `epoch`."""

    epoch: int


Letter: TypeAlias = i.Input | Arrival | News | Lost | Taken | Finish


class Inbox:
    """The letters that wait for one session."""

    def __init__(self, call_sid: str) -> None:
        self._call_sid = call_sid
        self._row: Row[Letter] = Row()
        self._has_news = self._is_woken = False
        self._arrivals = 0
        self.is_closed = False

    def __len__(self) -> int:
        return self._row.qsize()

    def post(self, letter: Letter) -> None:
        """Put a letter in the row. One too many from the wire is dropped with a log line."""
        if self.is_closed:
            _turn_away(letter)  # The session may still be writing its last words.
            return
        if isinstance(letter, News):
            if self._has_news:
                return  # One look at the journal finds all that was written.
            self._has_news = True
        elif isinstance(letter, _FROM_THE_WIRE) and self._row.qsize() >= INBOX_MAX:
            _log.error(
                "! the session can't keep up; an input was dropped",
                extra={"action": "inbox_full", "call_sid": self._call_sid},
            )
            return
        self._arrivals += isinstance(letter, Arrival)
        self._row.put_nowait(letter)

    async def take(self, wait_ms: int | None) -> Letter:
        """Return the next letter, or `Woke` when none came within `wait_ms`.

        What is due now comes before the letters that wait, so that no flood of them puts it off; but
        never twice running, and not before a stream that waits to be taken.
        """
        self._is_woken = wait_ms == 0 and not self._is_woken and not self._arrivals
        if self._is_woken:
            return i.Woke()
        if not await self._row.filled(None if wait_ms is None else wait_ms / 1000):
            return i.Woke()
        letter = self._row.get_nowait()
        if isinstance(letter, News):
            self._has_news = False
        self._arrivals -= isinstance(letter, Arrival)
        return letter

    def close(self) -> None:
        """Take no more letters.

        Streams that came too late for this session are told; the switchboard makes another one.
        """
        self.is_closed = True
        while not self._row.empty():
            _turn_away(self._row.get_nowait())


def _turn_away(letter: Letter) -> None:
    if isinstance(letter, Arrival):
        letter.answer(AGAIN)
