"""One server of the fleet: the real application on a machine of its own, which can die, sleep or leave."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any, Protocol

from starlette.applications import Starlette

from service.parts import Parts
from service.workers.life import lifespan
from tests.simulation.loop import MACHINE, Machine, VirtualLoop

STOP_S = 2.0  # so long requests in hand are waited for at the end, as uvicorn does


class Engine(Protocol):
    """A server's own way to the store, which ends with it."""

    is_dead: bool


class Server:
    """A process of the service, from its start to its end."""

    def __init__(self, name: str, app: Starlette, engine: Engine, loop: VirtualLoop) -> None:
        self.name = name
        self.app = app
        self.parts: Parts = app.state.parts
        self.machine = Machine(name)
        self.is_up = False
        self.is_dead = False
        self.is_leaving = False
        self.engine = engine
        self.stills = 0  # how often its machine stood still
        self.connections = 0  # that ever were opened to it
        self._loop = loop
        self._context = copy_context()
        self._context.run(MACHINE.set, self.machine)
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._requests: dict[asyncio.Task[Any], None] = {}
        self._cuts: list[Callable[[], object]] = []
        self._may_end = asyncio.Event()

    @property
    def is_serving(self) -> bool:
        """Whether a balancer would send somebody here."""
        return self.is_up and not self.machine.is_still and not self.is_leaving

    def run(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something on this machine."""
        task = self._loop.on(self.machine, work, self._context)
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        return task

    def answer(self, request: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a request, which is waited for when the server ends in good order."""
        task = self.run(request)
        self._requests[task] = None
        task.add_done_callback(lambda done: self._requests.pop(done, None))
        return task

    def cut_with(self, cut: Callable[[], object]) -> None:
        """Call this when the machine dies: a connection of the outside world's."""
        self.connections += 1
        self._cuts.append(cut)

    async def start(self) -> None:
        """Open the doors."""
        ready = asyncio.Event()
        self._life = self.run(self._live(ready))
        await ready.wait()

    async def _live(self, ready: asyncio.Event) -> None:
        async with lifespan(self.parts):
            self.is_up = True
            ready.set()
            await self._may_end.wait()

    async def leave(self, is_another_ready: Callable[[], bool]) -> None:
        """Drain, then end in good order."""
        self.is_leaving = True

        async def ready() -> bool:
            return is_another_ready()

        async def drain() -> None:
            self.parts.admission.close()
            await self.parts.switchboard.drain(ready)

        await asyncio.wait({self.run(drain())})
        await self.end()

    async def end(self) -> None:
        """End in good order: every call is written, everything is let go."""
        await self._finish()
        if self.is_dead:
            return
        self._may_end.set()
        await asyncio.wait({self._life})
        self.is_up = False
        self._cut()

    async def _finish(self) -> None:
        """Let the requests in hand be answered; those that take too long are given up."""
        if self._requests and not self.is_dead:
            await asyncio.wait(tuple(self._requests), timeout=STOP_S)
        for task in () if self.is_dead else tuple(self._requests):
            task.cancel()

    def die(self) -> None:
        """End between two steps: nothing is written, nobody is told, memory is gone."""
        self.is_up, self.is_dead = False, True
        self.engine.is_dead = True
        self._loop.freeze(self.machine)
        shelf = self.parts.journal._shelf
        for file in (shelf._file, *shelf._left):
            if file is not None:
                os.close(file._descriptor)
        shelf._file, shelf._left = None, ()
        self._cut()

    def freeze(self) -> None:
        """Stand still, with every connection open."""
        self.stills += 1
        self._loop.freeze(self.machine)

    def thaw(self) -> None:
        """Go on, unless it died meanwhile."""
        if not self.is_dead:
            self._loop.thaw(self.machine)

    def _cut(self) -> None:
        cuts, self._cuts = self._cuts, []
        for cut in cuts:
            cut()

    def bury(self) -> None:
        """Let what is left of a dead machine's tasks end, when nobody looks any more."""
        self._loop.thaw(self.machine)
