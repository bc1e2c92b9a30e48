"""How the application is served: one place for uvicorn's settings, whoever starts it."""

from typing import Any

import uvicorn
from starlette.applications import Starlette

from service.protocol.messages import MESSAGE_BYTES_MAX
from service.wire import Wire


def settings(app: Starlette, *, stop_s: int, **listening: Any) -> uvicorn.Config:
    """Return uvicorn's settings for `app`.

    `stop_s` is its patience with open sockets at the end, in seconds; `listening` is `host` and `port`,
    or nothing when it is given sockets.
    """
    return uvicorn.Config(
        app,
        ws=Wire,
        ws_max_size=MESSAGE_BYTES_MAX,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=stop_s,
        **listening,
    )
