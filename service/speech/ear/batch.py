"""One look at the sound of all calls together: what one run of a model does for many, it does cheaper.

    call A: window ──┐
    call B: window ──┼── a few milliseconds later, or when there are enough ──> one run ──> A, B, C go on
    call C: window ──┘

Rules this file keeps:
1. A call's windows are scored in their order, one in each run: the model remembers the one before.
2. Who waits longest comes first, and a call that waits for more goes behind the others.
3. A run is short: BATCH_MAX windows take about a millisecond and the event loop does it itself, since
   a thread would cost each of them a change to and fro. What is left waits for the loop's next turn; one
   that is long counts as several, or windows would pile up and each call score its own in the end.
4. A run that fails leaves nobody deaf: then the first opinion stands, and all was a voice.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextvars import Context
from itertools import islice
from typing import Generic, Protocol, TypeVar

from service import scope
from service.loop_turn import turns_in
from service.speech.ear.silero import SURE

TICK_MS = 5  # a sixth of a window; at 500 calls thirty windows are due in it
BATCH_MAX = 32  # more at once was measured to be no cheaper for each

_log = logging.getLogger(__name__)

S = TypeVar("S")
T_co = TypeVar("T_co", covariant=True)


class Waiting(Protocol[T_co]):
    """A call with a window that is to be scored."""

    @property
    def scorer(self) -> T_co:
        """What remembers the call's sound."""
        ...

    @property
    def window(self) -> bytes:
        """The oldest window that was not scored."""
        ...

    def answer(self, score: int) -> bool:
        """Take the score of that window; return whether another one waits."""
        ...

    def tell(self) -> None:
        """Go on with what the answer brought about."""
        ...


class Batch(Generic[S]):
    """Who waits, and when it is their turn. For use on one event loop.

    `score_all` scores a window for each of several scorers in one run.
    """

    def __init__(self, score_all: Callable[[Sequence[tuple[S, bytes]]], list[int]]) -> None:
        self._score_all = score_all
        self._waiting: dict[Waiting[S], None] = {}  # in the order in which they came
        self._due: asyncio.Handle | None = None
        self._due_s = 0.0  # when that is

    def add(self, one: Waiting[S]) -> None:
        """Have the oldest window of a call scored soon. Harmless for one that waits already."""
        self._waiting[one] = None
        if self._due is None:
            self._run_in(TICK_MS / 1_000, scope.of_nobody())
        elif len(self._waiting) == BATCH_MAX:
            self._due.cancel()
            self._run_in(0.0, scope.of_nobody())

    def drop(self, one: Waiting[S]) -> None:
        """Forget a call, if it waits."""
        self._waiting.pop(one, None)

    def _run_in(self, wait_s: float, context: Context | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._due_s = loop.time() + wait_s
        if wait_s:
            self._due = loop.call_later(wait_s, self._run, context=context)
        else:
            self._due = loop.call_soon(self._run, context=context)

    def _run(self) -> None:
        self._due = None
        late_s = asyncio.get_running_loop().time() - self._due_s
        for _ in range(turns_in(round(late_s * 1_000))):
            turn = list(islice(self._waiting, BATCH_MAX))
            if not turn:
                return
            for one in turn:
                del self._waiting[one]
            self._score(turn)
        if self._waiting:
            self._run_in(0.0)

    def _score(self, turn: list[Waiting[S]]) -> None:
        """Score a window of each. What a call makes of it is a turn of the loop of its own."""
        try:
            scores = self._score_all([(one.scorer, one.window) for one in turn])
        except Exception:  # noqa: BLE001 - onnxruntime raises its own kinds, which share no root
            _log.exception("! sound can't be scored", extra={"action": "scoring_failed"})
            scores = [SURE] * len(turn)
        soon = asyncio.get_running_loop().call_soon
        for one, score in zip(turn, scores, strict=True):
            if one.answer(score):
                self._waiting[one] = None
            soon(one.tell)
