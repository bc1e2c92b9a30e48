"""The server of the fleet: speech in text, and a page of its own.

    python -m tests.fleet.served          the settings come from the environment, as ever

`/fleet/tasks` tells how many tasks the loop has. With FLEET_PROFILE=FILE the process is profiled, and
the profile is written at its end.
"""

import asyncio
import cProfile
import os
import signal
import sys

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.chaos.servers import served
from service.config import Config


def made(config: Config) -> Starlette:
    """Return the application."""
    app = served.made(config)
    app.router.routes.append(Route("/fleet/tasks", _tasks))
    return app


async def _tasks(_request: Request) -> Response:
    return PlainTextResponse(str(len(asyncio.all_tasks())))


def main() -> None:
    """Serve until told to stop."""
    path = os.environ.get("FLEET_PROFILE", "")
    if not path:
        sys.exit(served.serve(made))
    # uvicorn raises the signal once more at its end, and the profile is still to be written.
    signal.signal(signal.SIGTERM, lambda *_: None)
    profile = cProfile.Profile()
    code = profile.runcall(served.serve, made)
    profile.dump_stats(f"{path}.{os.getpid()}")
    sys.exit(code)


if __name__ == "__main__":
    main()
