"""`stayline serve`: answer calls until told to stop."""

import argparse
import asyncio
import socket
import sys
import tempfile
from collections.abc import Callable, Coroutine

from starlette.applications import Starlette

from service import config as settings, demonstration, logs, serving
from service.app import create_app
from service.commands.command import Command, add_json
from service.commands.welcome import welcome, welcome_as_json
from service.config import Config
from service.errors import ConfigError, StaylineError, StoreError
from service.parts import sealed_store
from service.workers import worker
from service.workers.workers import Workers

Welcome = Callable[[Config], str]


def _add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--demo", action="store_true", help="play one recorded call first")
    add_json(parser, "the welcome on standard error")


def _run(options: argparse.Namespace) -> int:
    greet = welcome_as_json if options.json else welcome
    return serve(with_demonstration=options.demo, greet=greet)


def serve(
    *,
    with_demonstration: bool = False,
    make: Callable[[Config], Starlette] = create_app,
    greet: Welcome = welcome,
) -> int:
    """Serve what `make` returns until told to stop. Returns the exit code.

    With more than one worker `make` must be a function that another process can import.
    """
    sockets: list[socket.socket] = []
    try:
        config = settings.load()
        has_desk = with_demonstration and config.is_development and not config.tools
        if has_desk:
            config = demonstration.with_desk(config)
        sockets += serving.listening(config.host, config.port)
        logs.set_up("ERROR" if with_demonstration else config.log_level)
        asyncio.run(_check_store(config))
        if config.web_concurrency > 1 and not with_demonstration:
            sys.stderr.write(greet(config) + "\n")
            with tempfile.TemporaryDirectory(prefix="stayline-") as folder:
                given = (make, config, sockets, folder)
                return Workers(config.web_concurrency, worker.work, *given).run()
        server = worker.made(make, config)
        served = _serve(server, sockets, config, with_demonstration=with_demonstration, greet=greet)
        worker.run(server, _beside_desk(served, config) if has_desk else served)
    except StaylineError as trouble:
        sys.stderr.write(f"stayline: {trouble}\n")
        return worker.WRONG_SETTING
    finally:
        for one in sockets:
            one.close()
    return 0 if server.started else worker.NOT_SERVED


async def _check_store(config: Config) -> None:
    """Open the store once, so that a wrong file is told in one line and not in a trace.

    A server on the network that is away now is no wrong setting: calls go on without it.
    """
    journal = sealed_store(config)
    try:
        await journal.start()
    except StoreError as trouble:
        if config.store_url.startswith("sqlite:"):
            raise ConfigError(f"STORE_URL: {trouble}") from trouble
        sys.stderr.write(f"stayline: STORE_URL: {trouble} It starts without it.\n")
    finally:
        await journal.close()


async def _beside_desk(work: Coroutine[None, None, None], config: Config) -> None:
    async with demonstration.ticket_desk(config.port + 2):
        await work


async def _serve(
    server: serving.Server,
    sockets: list[socket.socket],
    config: Config,
    *,
    with_demonstration: bool,
    greet: Welcome,
) -> None:
    served = asyncio.create_task(server.serve(sockets))
    try:
        if with_demonstration and config.is_development:
            playing = asyncio.create_task(demonstration.demonstrate(config.port, server.serving))
            await asyncio.wait({served, playing}, return_when=asyncio.FIRST_COMPLETED)
            playing.cancel()
            logs.set_up(config.log_level)
        sys.stderr.write(greet(config) + "\n")
    finally:
        await served


COMMAND = Command(
    name="serve",
    summary="answer calls; the settings come from the environment or .env",
    run=_run,
    add_to=_add_to,
)
