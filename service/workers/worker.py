"""One process that serves: alone, or as one of several workers. See workers.py for those."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

from starlette.applications import Starlette

from service import logs, serving
from service.config import Config
from service.errors import StaylineError
from service.parts import Parts
from service.pool import Pool
from service.switchboard.switchboard import Switchboard
from service.workers.garbage import tend

WRONG_SETTING = 2
NOT_SERVED = 1
CLOSE_S_MAX = 2  # for open sockets at the end; those of calls are told to end before


def work(
    make: Callable[[Config], Starlette],
    config: Config,
    sockets: list[socket.socket],
    folder: str = "",
) -> int:
    """Serve what `make` returns, on these sockets, until told to stop. Returns the exit code.

    In `folder` the processes at one port leave their figures to each other, if it is given.
    """
    logs.set_up(config.log_level)
    try:
        server = made(make, config, folder)
        run(server, server.serve(sockets))
    except StaylineError as trouble:
        sys.stderr.write(f"stayline: {trouble}\n")
        return WRONG_SETTING
    return 0 if server.started else NOT_SERVED


def made(make: Callable[[Config], Starlette], config: Config, folder: str = "") -> serving.Server:
    """Return the server, not yet started. Raises ConfigError."""
    sys.path.insert(0, str(Path.cwd()))  # where a user's own agent lies, as python -m has it
    app = make(config)
    parts: Parts = app.state.parts
    if folder:
        parts.meter.pool = Pool(Path(folder), str(os.getpid()), parts.clock)
    chosen = serving.settings(
        app,
        stop_s=CLOSE_S_MAX,
        proxies=config.trusted_proxies,
        turnstile=parts.admission.turnstile,
        rounds=parts.rounds,
        told=parts.meter.cut,
    )
    return serving.Server(chosen, app.state.drain)


def run(server: serving.Server, doing: Coroutine[None, None, None]) -> None:
    """Run a coroutine that serves, in the server's own kind of loop."""
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(_steadied(server, doing))


async def _steadied(server: serving.Server, doing: Coroutine[None, None, None]) -> None:
    settling = asyncio.create_task(_settle(server))
    try:
        await doing
    finally:
        settling.cancel()


async def _settle(server: serving.Server) -> None:
    """Once it serves, see to it that the garbage collector stops no call."""
    await server.serving.wait()
    switchboard: Switchboard = server.config.app.state.parts.switchboard  # type: ignore[union-attr] # ours, from create_app
    await tend(lambda: switchboard.let_go, lambda: len(switchboard))
