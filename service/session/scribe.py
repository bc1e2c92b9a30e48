"""Decide, write, act: the three steps that every input takes, in this order."""

from collections.abc import Callable, Sequence

from service.call.decisions.decide import decide
from service.call.events import Known
from service.call.inputs import Effect, Input, Settle
from service.errors import StoreError
from service.session.kept.ledger import Ledger, Written
from service.session.means import Means
from service.session.telling import tell_seats

DECIDE_MAX = 20  # writers outside come one at a time; twenty in a row mean that something is wrong


class Scribe:
    """Turns inputs into written facts, and then into effects."""

    def __init__(
        self,
        means: Means,
        ledger: Ledger,
        act: Callable[[Effect], None],
        let_go: Callable[[], None],
    ) -> None:
        self._means = means
        self._ledger = ledger
        self._act = act
        self._let_go = let_go

    async def take(self, happened: Input) -> bool:
        """Decide on what happened. False when nothing was written, or the call is no longer ours.

        When others wrote meanwhile, it is decided again on what is true now; what only follows from the
        state is to be asked anew, and True. Raises StoreError.
        """
        for _ in range(DECIDE_MAX):
            now_ms = self._means.clock.now_ms()
            decision = decide(self._ledger.call, happened, now_ms, self._means.policy)
            written = Written.DONE
            if decision.facts:
                written = await self._write(decision.facts, now_ms)
            if written is Written.LOST:
                self._let_go()
                return False
            if written is Written.DONE:
                tell_seats(self._ledger.call_sid, decision.facts)
                for effect in decision.effects:
                    self._act(effect)
                return bool(decision.facts)
            if isinstance(happened, Settle):
                return True
        raise StoreError(f"others wrote to the call {DECIDE_MAX} times while one thing was decided")

    async def _write(self, facts: Sequence[Known], now_ms: int) -> Written:
        before, clock = self._ledger.call, self._means.clock
        began_us = clock.now_us()
        written = await self._ledger.write(facts, now_ms)
        if written is Written.DONE:
            now_us = clock.now_us()
            took_us = now_us - began_us
            self._means.sight.wrote(
                before, facts, self._ledger.call, now_us=now_us, took_us=took_us
            )
        return written
