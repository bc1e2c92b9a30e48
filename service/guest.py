"""Stayline as a guest: mounted in another Starlette or FastAPI application, under a path of its own.

    stayline = create_app()                       # PUBLIC_URL=https://example.com/calls
    app = FastAPI(lifespan=lifespan_with(stayline))
    app.mount("/calls", stayline)

A mounted application's own life is not begun by whoever mounts it: without `lifespan_with` no store is open
and nobody looks after calls of servers that are gone. PUBLIC_URL names the place where it is mounted.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from starlette.applications import Starlette

Lifespan = Callable[[Any], AbstractAsyncContextManager[Mapping[str, Any]]]
OwnLifespan = Callable[[Any], AbstractAsyncContextManager[Mapping[str, Any] | None]]


def lifespan_with(stayline: Starlette, own: OwnLifespan | None = None) -> Lifespan:
    """Return the lifespan of an application that has `stayline` mounted.

    Stayline begins before `own`, the application's lifespan so far, and ends after it: whatever is done there
    may rely on it. What `own` yields is the state of requests, as ever. Whoever fails to begin, neither
    stays open.
    """

    @asynccontextmanager
    async def both(app: Any) -> AsyncIterator[Mapping[str, Any]]:
        async with stayline.router.lifespan_context(stayline):
            if own is None:
                yield {}
            else:
                async with own(app) as state:
                    yield state or {}

    return both
