"""call_sid -> Session, in this process.

A stream that proves itself is put through to its call's session; the first one makes the session.
The switchboard knows nothing of what is said; it keeps one session per call, and counts them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from service import scope
from service.redaction import own_words
from service.session.arrival import AGAIN, REFUSED, Arrival
from service.session.means import Means
from service.session.session import Session

SESSIONS_MAX = 5_000  # far above what one core serves; a bound, not a target
ATTEMPTS_MAX = (
    3  # a session may end at the very moment a stream arrives; a third time is no accident
)
CLOSE_S_MAX = 2.0  # a platform kills us after 30 s; every call needs one write
DRAIN_S_MAX = 20.0  # the rest of 28 s is for closing what is left
ALONE_S_MAX = 5.0  # for tools, while callers wait for this server to be back
NEIGHBOUR_MS_MAX = 8_000  # a deploy's new server loads its models in less
PROBE_PAUSE_S = 0.25  # a balancer looks no more often
UNMOVED_MS_MAX = 5_000  # for a pause; a sentence that is cut then goes on with its clause
MOVES_A_S = 20  # what another server takes beside its own calls, and the carrier without a 429

_log = logging.getLogger(__name__)


class Switchboard:
    """The sessions of this process."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._sessions: dict[str, Session] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._is_closed = False
        self.let_go = 0  # sessions, since this process began
        self.is_draining = False
        self.is_alone = False  # while draining: nobody else takes our calls

    @property
    def owner(self) -> str:
        """The name of this process among the servers."""
        return self._means.owner

    def __len__(self) -> int:
        return len(self._sessions)

    def waiting(self) -> list[int]:
        """Return how many letters wait for each session. Any thread may ask."""
        return [len(session.inbox) for session in tuple(self._sessions.values())]

    def find(self, call_sid: str) -> Session | None:
        """Return the session that holds the call here, if any."""
        return self._sessions.get(call_sid)

    def of_tenant(self, tenant: str) -> set[str]:
        """Return the calls of this tenant that are held here."""
        return {sid for sid, one in self._sessions.items() if one.call.tenant == tenant}

    async def attach(self, call_sid: str, arrival: Arrival) -> tuple[Session, int] | None:
        """Put a stream through. Returns its session and epoch, or None when the call can't be taken."""
        loop = asyncio.get_running_loop()
        for _ in range(ATTEMPTS_MAX):
            session = self._sessions.get(call_sid) or self._begin(call_sid)
            if session is None:
                return None
            asked = replace(arrival, done=loop.create_future())
            session.post(asked)
            epoch = await asked.done
            if epoch == REFUSED:
                return None
            if epoch != AGAIN:
                return session, epoch
            await self._finished(call_sid, session)
        return None

    async def _finished(self, call_sid: str, session: Session) -> None:
        task = self._tasks.get(call_sid)
        if self._sessions.get(call_sid) is session and task is not None:
            await asyncio.wait({task})

    def _begin(self, call_sid: str) -> Session | None:
        if self._is_closed:
            return None
        if len(self._sessions) >= SESSIONS_MAX:
            _log.error(
                "! too many calls; a stream was refused", extra={"action": "switchboard_full"}
            )
            return None
        session = Session(call_sid, self._means)
        self._sessions[call_sid] = session
        self._tasks[call_sid] = asyncio.create_task(self._hold(call_sid, session))
        self._means.meter.calls_live.set(len(self._sessions))
        return session

    async def _hold(self, call_sid: str, session: Session) -> None:
        scope.of_call(call_sid)
        try:
            await session.run()
        except Exception:  # noqa: BLE001 - our fault ends this hold, not the call: it comes back
            _log.exception(
                "! a session failed", extra={"action": "session_failed", "call_sid": call_sid}
            )
        finally:
            if self._sessions.get(call_sid) is session:
                del self._sessions[call_sid], self._tasks[call_sid]
                self.let_go += 1
            self._means.meter.calls_live.set(len(self._sessions))

    async def drain(self, is_another_ready: Callable[[], Awaitable[bool]]) -> None:
        """Move every call to another server, in the pauses of its talk where it has any.

        No new calls come from now on. Without another server each call waits at the carrier until this
        one is back. Returns when no call is left and no tool is at work, or after DRAIN_S_MAX.
        """
        self.is_draining = True
        self._means.meter.machine.drain_began.set(self._means.clock.now_ms() / 1000)
        _log.info("= draining %d calls", len(self), extra={"action": "drain_begun"})
        try:
            async with asyncio.timeout(DRAIN_S_MAX):
                self.is_alone = bool(self._sessions) and not await self._has_another(
                    is_another_ready
                )
                where = "to the next server here" if self.is_alone else "to another server"
                _log.info(
                    "= moving %d calls %s",
                    len(self),
                    own_words(where),
                    extra={"action": "drain_moves"},
                )
                await self._move_all()
                async with asyncio.timeout(ALONE_S_MAX if self.is_alone else None):
                    await self._means.tasks.rest()
        except TimeoutError:
            _log.warning("! cut with %d calls left", len(self), extra={"action": "drain_cut"})
        _log.info("= drained", extra={"action": "drain_ended"})

    async def _has_another(self, is_ready: Callable[[], Awaitable[bool]]) -> bool:
        until_ms = self._means.clock.now_ms() + NEIGHBOUR_MS_MAX
        while self._sessions and self._means.clock.now_ms() < until_ms:
            if await is_ready():
                return True
            await asyncio.sleep(PROBE_PAUSE_S)
        return not self._sessions

    async def _move_all(self) -> None:
        forced_ms = self._means.clock.now_ms() + UNMOVED_MS_MAX
        # Under which epoch; a call that came back meanwhile is moved again.
        told: dict[str, int] = {}
        while self._sessions:
            left = [s for sid, s in self._sessions.items() if told.get(sid) != s.epoch]
            is_forced = self._means.clock.now_ms() >= forced_ms
            session = next((one for one in left if one.may_part or is_forced), None)
            if session is not None:
                told[session.call_sid] = session.epoch
                session.leave(is_alone=self.is_alone)
            await asyncio.sleep(1 / MOVES_A_S)

    async def close(self) -> None:
        """Write where every call stands and let go of it; its streams are closed, no more are taken."""
        self._is_closed = True
        for session in tuple(self._sessions.values()):
            session.finish()
        if self._tasks:
            await asyncio.wait(tuple(self._tasks.values()), timeout=CLOSE_S_MAX)
        rest = tuple(self._tasks.values())
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
