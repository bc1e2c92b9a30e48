"""The phone rings: perhaps it is a caller whose last call was cut off, or one whom we ring back.

    webhook ──> our callback of a call? ──> its number ──> its ticket ──> opened, carried[, taken]

What is found goes into the new call's opening, so that a webhook asked twice changes nothing: the
earlier call knows who goes on with it, and the new one opens once.
"""

import logging
from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace

from service.call import events as e
from service.call.decisions.carrying import taken
from service.call.folds.fold import fold
from service.call.place import Place
from service.call.state import Call
from service.clock import Clock
from service.errors import StoreError
from service.redaction import own_words
from service.session.calling_back import CallingBack
from service.session.kept.ring_backs import RingBacks

UNTRUE = "TN-Validation-Failed"  # STIR/SHAKEN: the network itself doubts the caller's number

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Returning:
    """What a new call begins with. `mode` is the setting RING_BACK."""

    ring_backs: RingBacks
    calling_back: CallingBack
    clock: Clock
    mode: Literal["offer", "go_on", "afresh"]

    async def opening(
        self, opened: e.CallOpened, *, callback_of: str = "", stir_verstat: str = ""
    ) -> tuple[e.Known, ...]:
        """Return the first facts of a call's journal. Never raises: at worst the call is a new one."""
        now_ms = self.clock.now_ms()
        call = fold(Call(), opened, Place(1, 0, now_ms))
        carried = await self._carried(call, callback_of, stir_verstat)
        if carried is None:
            return (opened,)
        _log.info(
            "= it goes on with a call that was cut off, by its %s",
            own_words(carried.by),
            extra={"action": "ring_back", "call_sid": call.call_sid},
        )
        opened = replace(opened, continues=carried.call_sid)
        # A ticket may be a colleague's, too: who rings from another number is always asked.
        if self.mode != "go_on" or carried.by == "ticket":
            return (opened, carried)
        return (opened, carried, *taken(fold(call, carried, Place(2, 0, now_ms)), now_ms))

    async def _carried(
        self, call: Call, callback_of: str, stir_verstat: str
    ) -> e.EarlierCarried | None:
        if callback_of and await self._is_rung(call, callback_of):
            return await self.ring_backs.of_callback(call, callback_of)
        if self.mode == "afresh" or call.direction.startswith("outbound"):
            return None
        found = None
        if not stir_verstat.startswith(UNTRUE):
            found = await self.ring_backs.of_number(call)
        return found or await self.ring_backs.of_ticket(call)

    async def _is_rung(self, call: Call, callback_of: str) -> bool:
        """Whether we rang this number for that call; whoever answers ends the ringing."""
        try:
            return await self.calling_back.answered(callback_of, call.customer_number)
        except StoreError as trouble:
            _log.warning(
                "! the call that we ring back for can't be read: %s",
                trouble,
                extra={"action": "ring_back_failed", "call_sid": call.call_sid},
            )
            return False
