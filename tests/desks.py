"""A ticket desk behind a real socket on loopback, for tests of whatever calls it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn

from service.desk import TicketDesk, create_desk
from service.serving import Server


@contextlib.asynccontextmanager
async def serving(desk: TicketDesk) -> AsyncIterator[str]:
    """Serve the desk on a free port until the test is done; yields its URL."""
    ours = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    ours.bind(("127.0.0.1", 0))
    ours.listen()
    settings = uvicorn.Config(
        create_desk(desk), log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1
    )
    server = Server(settings)
    task = asyncio.create_task(server.serve(sockets=[ours]))
    try:
        yield f"http://127.0.0.1:{ours.getsockname()[1]}"
    finally:
        server.end()
        await task
