"""The life of an application: open the store, warm the voice, serve, write where every call stands."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from service import carrier
from service.call import snapshot
from service.errors import SpeechError, StoreError
from service.parts import Parts
from service.quota import Quota
from service.redaction import own_words
from service.session.conversation.phrases import phrases
from service.sight.loop_lag import watch_loop
from service.speech.ear.vad import voice_activity
from service.speech.pool import SpeechPool
from service.workers.neighbour import Neighbour

SWEEP_S = 30.0  # expired calls are gone at most this much later than their time to live
QUIET_S = 1.0  # between two looks whether somebody is on the line

_log = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(
    parts: Parts, *running: Callable[[], Coroutine[Any, Any, None]]
) -> AsyncIterator[None]:
    """Open the store, warm the voice, serve; then write where every call stands and close.

    Each of `running` goes on beside for as long as it serves.
    """
    await parts.journal.start()
    _measure_queues(parts)
    beside = [
        asyncio.create_task(each)
        for each in (_sweep(parts), watch_loop(parts.meter), parts.telemetry.run())
    ]
    if parts.config.store_quota_mb:
        quota = Quota(parts.journal, parts.meter, parts.config.store_quota_mb << 20)
        beside.append(asyncio.create_task(quota.run()))
    try:
        await _warm_up(parts)
        beside.append(asyncio.create_task(_rehearse(parts)))
        beside.append(asyncio.create_task(parts.reconciler.run()))
        beside.extend(asyncio.create_task(each()) for each in running)
        yield
    finally:
        parts.switchboard.is_draining = True
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await parts.switchboard.close()
        await parts.tasks.close()
        await parts.toolbox.close()
        await _close_agent(parts.means.agent)
        await parts.speech.close()
        await parts.journal.close()
        await parts.telemetry.close()


def _measure_queues(parts: Parts) -> None:
    """Have what waits counted whenever somebody asks for the figures."""
    machine, switchboard = parts.meter.machine, parts.switchboard
    machine.reading_period.set_function(lambda: parts.rounds.period_ms / 1_000)
    if isinstance(speech := parts.speech, SpeechPool):
        machine.speech_waiting.set_function(lambda: float(speech.waiting))
    machine.inbox_waiting.set_function(lambda: float(sum(switchboard.waiting())))
    machine.inbox_waiting_max.set_function(lambda: float(max(switchboard.waiting(), default=0)))


async def drain(parts: Parts) -> None:
    """Move every call to another server, before the end; see Switchboard.drain."""
    parts.admission.close()
    neighbour = Neighbour(parts.config.public_url, parts.switchboard.owner)
    await parts.switchboard.drain(neighbour.is_ready)


async def _warm_up(parts: Parts) -> None:
    """Load before the first call what a caller would wait for: models, the carrier's client, what marks snapshots."""
    snapshot.mark()
    loading = asyncio.create_task(asyncio.to_thread(carrier.warm))
    try:
        if not parts.has_own_ear:
            await asyncio.to_thread(voice_activity)
        spoken = await parts.speech.render("Hello.", within_ms=60_000)
        await parts.speech.transcribe(spoken, 60_000)
    except SpeechError as trouble:
        _log.warning("! %s", own_words(str(trouble)), extra={"action": "warm_up_failed"})
    await loading


async def _close_agent(agent: object) -> None:
    """Let an agent go that has something to close; most have nothing."""
    close = getattr(agent, "close", None)
    if close is None:
        return
    try:
        await close()
    except Exception:  # noqa: BLE001 - the agent is the user's code: the rest is closed all the same
        _log.exception("! the agent can't be closed", extra={"action": "agent_failed"})


async def _rehearse(parts: Parts) -> None:
    """Speak what is said in many calls, so that it is in the cache.

    Only while nobody is on the line here: a call needs the cores more, and what it says is spoken for it.
    """
    left = deque(phrases(parts.means.agent))
    try:
        while left:
            if len(parts.switchboard):
                await asyncio.sleep(QUIET_S)
            else:
                await parts.speech.render(left.popleft(), call="rehearsal")
    except SpeechError as trouble:
        _log.warning("! %s", own_words(str(trouble)), extra={"action": "rehearsal_failed"})


async def _sweep(parts: Parts) -> None:
    """Erase what is past its time to live."""
    while True:
        await asyncio.sleep(SWEEP_S)
        try:
            erased = await parts.journal.sweep(now_ms=parts.clock.now_ms())
        except StoreError as trouble:
            parts.meter.store.errors.inc()
            _log.error("! the sweep failed: %s", trouble, extra={"action": "sweep_failed"})
            continue
        if erased:
            _log.info("= %d calls expired", erased, extra={"action": "calls_expired"})
