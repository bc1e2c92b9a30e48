"""What a session does so that its caller can ring back, and finds when they name a ticket.

Both run beside the session's one task: a name that can't be kept now is kept after the next step.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine

from service.call import inputs as i
from service.call.carrying import has_matter, tickets
from service.call.state import Call
from service.errors import StoreError
from service.session.kept.ring_backs import names
from service.session.means import Means

_log = logging.getLogger(__name__)


class Remembrance:
    """The names of one call."""

    def __init__(self, call_sid: str, means: Means, post: Callable[[i.EarlierFound], None]) -> None:
        self._call_sid = call_sid
        self._means = means
        self._post = post
        self._kept: set[str] = set()
        # What the names were made of that are kept, or are being.
        self._named_by: tuple[object, ...] = ()
        self._sought: set[tuple[str, ...]] = set()
        self._is_settled = self._is_looking = False
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(self, call: Call) -> None:
        """Keep the names of a conversation worth going on with, once; look for one about its ticket."""
        if self._means.ring_backs is None:
            return
        if call.phase == "ended":
            self._settle(call)
            return
        if self._is_looking:
            return
        if self._is_to_seek(call):
            self._is_looking = True
            self._sought.add(tickets(call))
            self._start(self._look(call))
        elif has_matter(call):
            self._remember(call)

    def _remember(self, call: Call) -> None:
        named_by = (call.fields, call.parameters, call.customer_number, call.tenant)
        if named_by == self._named_by:  # as after nearly all steps
            return
        self._named_by = named_by
        for name in names(call) - self._kept:
            self._kept.add(name)
            self._start(self._keep(name))

    def _settle(self, call: Call) -> None:
        if not self._is_settled and self._kept:
            self._is_settled = True
            self._start(self._forget(call))

    def _is_to_seek(self, call: Call) -> bool:
        """Whether the caller has just named a ticket, to an agent that would offer an earlier call."""
        field = call.fields.get("ticket_id")
        is_told = field is not None and field.source != "directory"
        offers = getattr(self._means.agent, "offers_earlier", False)
        if not is_told or not offers or call.earlier is not None or call.ending:
            return False
        about = tickets(call)
        return bool(about) and about not in self._sought

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = self._means.tasks.start(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep(self, name: str) -> None:
        assert self._means.ring_backs is not None
        try:
            await self._means.ring_backs.remember(self._call_sid, name)
        except StoreError as trouble:
            self._kept.discard(name)
            self._named_by = ()
            self._tell(trouble)

    async def _forget(self, call: Call) -> None:
        assert self._means.ring_backs is not None
        try:
            await self._means.ring_backs.settle(call)
        except StoreError as trouble:
            self._tell(trouble)

    async def _look(self, call: Call) -> None:
        """Look for the earlier call before its ticket means this one."""
        assert self._means.ring_backs is not None
        carried = await self._means.ring_backs.of_ticket(call)
        if carried is not None:
            self._post(i.EarlierFound(carried))
        self._is_looking = False
        self._remember(call)

    def _tell(self, trouble: StoreError) -> None:
        self._means.meter.store.errors.inc()
        _log.warning(
            "! the call's names can't be kept: %s",
            trouble,
            extra={"action": "remember_failed", "call_sid": self._call_sid},
        )
