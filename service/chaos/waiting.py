"""Waiting for what must come, and going on when it doesn't: a run reports, it doesn't stop."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

LOOK_S = 0.05


async def until(
    holds: Callable[[], bool | Awaitable[bool]], *, within_s: float, look_s: float = LOOK_S
) -> bool:
    """Look again and again until `holds` does. False when it never did."""
    try:
        async with asyncio.timeout(within_s):
            while True:
                answer = holds()
                if (await answer) if inspect.isawaitable(answer) else answer:
                    return True
                await asyncio.sleep(look_s)
    except TimeoutError:
        return False
