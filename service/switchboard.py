"""call_sid -> Session, in this process.

A stream that proves itself is put through to its call's session; the first one makes the session.
The switchboard knows nothing of what is said; it keeps one session per call, and counts them.
"""

import asyncio
import logging
from dataclasses import replace

from service.session.line import AGAIN, REFUSED, Arrival
from service.session.means import Means
from service.session.session import Session

SESSIONS_MAX = 5_000  # far above what one core serves; a bound, not a target
ATTEMPTS_MAX = (
    3  # a session may end at the very moment a stream arrives; a third time is no accident
)
CLOSE_S_MAX = 10.0  # a platform kills us after 30 s; every call needs one write

_log = logging.getLogger(__name__)


class Switchboard:
    """The sessions of this process."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._sessions: dict[str, Session] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._sessions)

    def find(self, call_sid: str) -> Session | None:
        """Return the session that holds the call here, if any."""
        return self._sessions.get(call_sid)

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
        try:
            await session.run()
        except Exception:  # noqa: BLE001 - our fault ends this hold, not the call: it comes back
            _log.exception(
                "! a session failed", extra={"action": "session_failed", "call_sid": call_sid}
            )
        finally:
            if self._sessions.get(call_sid) is session:
                del self._sessions[call_sid], self._tasks[call_sid]
            self._means.meter.calls_live.set(len(self._sessions))

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
