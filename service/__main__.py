"""The `stayline` command: serve · replay (call a server) · journal (a store's calls) · key · desk."""

import argparse
import asyncio
import os
import socket
import sys
from collections.abc import Callable, Coroutine
from urllib.parse import quote

import uvicorn
from starlette.applications import Starlette

from service import config as settings, demonstration, logs, recordings, sealkeys, serving, worker
from service.app import create_app
from service.chaos.command import chaos
from service.config import Config
from service.desk import create_desk
from service.errors import ConfigError, StaylineError, StoreError
from service.parts import sealed_store
from service.simulator import client
from service.workers import Workers


def main() -> None:
    """Run the command line and exit."""
    if sys.argv[1:2] == ["replay"]:
        sys.exit(client.replay(sys.argv[2:]))
    if sys.argv[1:2] == ["journal"]:
        sys.exit(recordings.run(sys.argv[2:]))
    if sys.argv[1:2] == ["key"]:
        sys.stdout.write(f"{sealkeys.fresh()}\n")
        return
    if sys.argv[1:2] == ["chaos"]:
        sys.exit(chaos(sys.argv[2:]))
    parser = argparse.ArgumentParser(prog="stayline", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve_command = commands.add_parser(
        "serve", help="answer calls; the settings come from the environment or .env"
    )
    serve_command.add_argument("--demo", action="store_true", help="play one recorded call first")
    # Known here for the help only: these read their own words, and have their own exit codes.
    commands.add_parser("replay", help="call a running server with recorded audio")
    commands.add_parser("journal", help="take a call out of the store, decide it again, erase it")
    commands.add_parser("chaos", help="harm many calls at once, and judge what came of it")
    commands.add_parser("key", help="print a fresh key for SEAL_KEYS")
    desk = commands.add_parser("desk", help="keep a small ticket desk to try tools with")
    desk.add_argument("--port", type=int, default=8002, help="on loopback; default 8002")
    options = parser.parse_args()
    if options.command == "desk":
        uvicorn.run(create_desk(), host="127.0.0.1", port=options.port, log_level="error")
        return
    sys.exit(serve(with_demonstration=options.demo))


def serve(
    *, with_demonstration: bool = False, make: Callable[[Config], Starlette] = create_app
) -> int:
    """Serve what `make` returns until told to stop. Returns the exit code.

    With more than one worker `make` must be a function that another process can import.
    """
    try:
        config = settings.load()
        has_desk = with_demonstration and config.is_development and not config.tools
        if has_desk:
            config = demonstration.with_desk(config)
        sockets = serving.listening(config.host, config.port)
        logs.set_up("ERROR" if with_demonstration else config.log_level)
        asyncio.run(_check_store(config))
        if config.web_concurrency > 1 and not with_demonstration:
            sys.stderr.write(welcome(config) + "\n")
            return Workers(config.web_concurrency, worker.work, make, config, sockets).run()
        server = worker.made(make, config)
        served = _serve(server, sockets, config, with_demonstration=with_demonstration)
        worker.run(server, _beside_desk(served, config) if has_desk else served)
    except StaylineError as trouble:
        sys.stderr.write(f"stayline: {trouble}\n")
        return worker.WRONG_SETTING
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
) -> None:
    served = asyncio.create_task(server.serve(sockets))
    try:
        if with_demonstration and config.is_development:
            playing = asyncio.create_task(demonstration.demonstrate(config.port, server.serving))
            await asyncio.wait({served, playing}, return_when=asyncio.FIRST_COMPLETED)
            playing.cancel()
            logs.set_up(config.log_level)
        sys.stderr.write(welcome(config) + "\n")
    finally:
        await served


def welcome(config: Config) -> str:
    """Return what a person at the terminal needs to know."""
    here = f"http://127.0.0.1:{config.port}"
    lines = [f"Stayline answers at {here}. Ctrl-C ends it."]
    if config.is_development:
        token = config.api_tokens[0].token
        lines += [
            "Development: no TWILIO_AUTH_TOKEN, so only this machine is served.",
            # A fragment is sent to no server: the token stands in no log. The page takes it out of the address.
            f"  Console:   {here}/console#token={quote(token, safe='')}",
            f"  Phone:     {here}/phone",
            f"  Call it:   stayline replay fixtures/audio/caller_sarah_name.ulaw --drop-at 3s --server {here}",
            *_desk_lines(config),
            f"  Its API:   curl -H 'Authorization: Bearer {token}' {here}/api/calls",
            "  A real number: set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, PUBLIC_URL, then",
        ]
    elif config.public_url.startswith("http://"):
        lines.append(
            f"PUBLIC_URL is {config.public_url}: behind a proxy or a tunnel, set it to the address"
            " that the carrier is given, or no signature will fit."
        )
    if not config.is_development:
        lines.append(f"  Console: {config.public_url}/console, with one of API_TOKENS")
    url = "https://HOST" if config.is_development else config.public_url
    lines.append(
        f"  twilio phone-numbers:update +1… --voice-url {url}/twiml/voice"
        f" --voice-fallback-url {url}/twiml/fallback --status-callback {url}/callbacks/call"
    )
    return "\n".join(lines)


def _desk_lines(config: Config) -> list[str]:
    """Where the demonstration's tickets lie, when they do."""
    desk_url = os.environ.get("DESK_URL", "")
    return [f"  Its tools: {desk_url}/log shows what the desk was asked"] if config.tools else []


if __name__ == "__main__":
    main()
