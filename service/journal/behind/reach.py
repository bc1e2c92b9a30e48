"""Whether the store is within reach: the waits that decide it, and how an answer in time is waited for."""

import asyncio
from collections.abc import Coroutine
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from service.waiting import Flag

TURNS = (
    12  # of the event loop: from a socket that is readable to the answer in hand takes under ten
)
LATE_S = 0.005  # a timer that fires so much too late says that it was the loop that did not answer
GRACES_MAX = 3  # deadlines that are granted anew, because the loop was at fault


T = TypeVar("T")


class Reach(Enum):
    """How the store answers."""

    NEAR = "near"
    SLOW = "slow"  # it answers, but not in time; or it failed just now, and is being asked
    AWAY = "away"  # it does not answer


class Deadlines(NamedTuple):
    """Seconds that the store is given."""

    write_s: float  # a fact of the conversation: nobody speaks before it is written
    claim_s: float  # a stream that waits to be taken, a call that rings


NETWORK = Deadlines(0.020, 0.250)  # design.md: 20 ms; a caller notices a quarter second of silence
DISK = Deadlines(0.250, 0.500)  # an fsync on a busy disk takes so long now and then


async def in_time(attempt: asyncio.Task[Any], deadline_s: float) -> bool:
    """Say whether the attempt is done within the deadline. It goes on in either case.

    An answer that is there, and that only this loop was too busy to read, is in time.
    """
    loop = asyncio.get_running_loop()
    for _ in range(GRACES_MAX):
        due_s = loop.time() + deadline_s
        await _done_by(attempt, deadline_s)
        is_late = loop.time() - due_s > LATE_S
        for _ in range(TURNS):
            if attempt.done():
                return True
            await asyncio.sleep(0)
        if not is_late:
            break
    return attempt.done()


async def _done_by(attempt: asyncio.Task[Any], deadline_s: float) -> None:
    """Wait for its end, or for the deadline: asyncio.wait for one alone, at half the price."""
    over = Flag()

    def end(_attempt: object) -> None:
        over.set()

    attempt.add_done_callback(end)
    try:
        await over.wait(deadline_s)
    finally:
        attempt.remove_done_callback(end)


def attempted(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Begin the work so that nobody need wait for its end; an unheard failure is no news."""
    attempt = asyncio.create_task(work)
    attempt.add_done_callback(_unheard)
    return attempt


def _unheard(attempt: asyncio.Task[Any]) -> None:
    if not attempt.cancelled():
        attempt.exception()
