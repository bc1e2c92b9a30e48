"""What `make run` shows: one recorded call through the running server, cut and restarted on the way.

The call comes from the simulator and the tickets from a small desk, each in a process of its own, over
real sockets. The server itself does nothing differently: it can't tell the demonstration from a caller.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from service.config import Config
from service.tools.toolbox import DESK_FILE

AUDIO = Path(__file__).parent.parent / "fixtures" / "audio"
UTTERANCES = (
    "caller_sarah_name.ulaw",
    "caller_sarah_company.ulaw",
    "caller_sarah_ticket.ulaw",  # cut near its end, so it is asked for and said again
    "caller_sarah_ticket.ulaw",
    "caller_sarah_problem.ulaw",
    "caller_sarah_yes_right.ulaw",
)
STARTING_S_MAX = 60.0  # models load in a second or two, on a busy machine in ten


def command(port: int) -> list[str]:
    """Return the command line of the demonstration call."""
    files = [str(AUDIO / name) for name in UTTERANCES]
    return [
        sys.executable, "-m", "service", "replay", *files,
        "--server", f"http://127.0.0.1:{port}",
        "--drop-on", "agent-speaks:1+1500",
        "--digits-at", "14s:1w2",
        "--drop-on", "caller-speaks:3+2200",
        "--max-duration", "120s",
    ]  # fmt: skip


async def demonstrate(port: int, serving: asyncio.Event) -> int:
    """Wait until the server serves, then play the call. Returns the call's exit code."""
    async with asyncio.timeout(STARTING_S_MAX):
        await serving.wait()
    call = await asyncio.create_subprocess_exec(*command(port))
    try:
        return await call.wait()
    finally:
        if call.returncode is None:  # We were told to stop: nobody is left to call.
            call.terminate()
            await call.wait()


def with_desk(config: Config) -> Config:
    """Return the settings with the desk's tools, which lie two ports above ours."""
    os.environ["DESK_URL"] = f"http://127.0.0.1:{config.port + 2}"
    return config.model_copy(update={"tools": str(DESK_FILE)})


@asynccontextmanager
async def ticket_desk(port: int) -> AsyncIterator[None]:
    """Keep a ticket desk open on this port, for as long as the block runs."""
    desk = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "service", "desk", "--port", str(port)
    )
    try:
        yield
    finally:
        if desk.returncode is None:
            desk.terminate()
            await desk.wait()
