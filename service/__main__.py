"""The `stayline` command: serve and replay."""

import argparse
import asyncio
import sys

import uvicorn

from service import config as settings, logs
from service.app import create_app
from service.config import Config
from service.errors import StaylineError
from service.protocol.messages import MESSAGE_BYTES_MAX
from service.simulator import client

USAGE = 2  # a wrong setting


def main() -> None:
    """Run the command line and exit."""
    parser = argparse.ArgumentParser(prog="stayline", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer calls; settings come from the environment or .env")
    client.add_arguments(
        commands.add_parser("replay", help="call a running server with recorded audio")
    )
    options = parser.parse_args()
    if options.command == "replay":
        sys.exit(asyncio.run(client.run(options)))
    sys.exit(serve())


def serve() -> int:
    """Serve until told to stop. Returns the exit code."""
    try:
        config = settings.load()
        logs.set_up(config.log_level)
        app = create_app(config)
    except StaylineError as trouble:
        sys.stderr.write(f"stayline: {trouble}\n")
        return USAGE
    sys.stderr.write(welcome(config) + "\n")
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=config.host,
            port=config.port,
            ws="websockets-sansio",
            ws_max_size=MESSAGE_BYTES_MAX,
            ws_per_message_deflate=False,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
    )
    server.run()
    return 0 if server.started else 1


def welcome(config: Config) -> str:
    """Return what a person at the terminal needs to know."""
    here = f"http://127.0.0.1:{config.port}"
    lines = [f"Stayline answers at {here}, store {config.store_url.partition('@')[0]}"]
    if config.is_development:
        lines += [
            "No TWILIO_AUTH_TOKEN: development credentials from var/development.json, loopback only.",
            f"  A call without an account:  stayline replay fixtures/audio/caller_problem.ulaw --server {here}",
            f"  Watch it:  curl -H 'Authorization: Bearer {config.api_tokens[0].token}' {here}/api/calls",
        ]
    else:
        lines.append(
            f"Point a number at it: twilio phone-numbers:update +1… --voice-url {config.public_url}/twiml/voice"
            f" --voice-fallback-url {config.public_url}/twiml/fallback"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
