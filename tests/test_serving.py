from starlette.applications import Starlette

from service.protocol.messages import MESSAGE_BYTES_MAX
from service.serving import settings


def test_messages_are_bounded_and_never_unpacked() -> None:
    made = settings(Starlette(), stop_s=3, host="127.0.0.1", port=8123)
    assert (made.ws_max_size, made.ws_per_message_deflate) == (MESSAGE_BYTES_MAX, False)
    assert (made.host, made.port, made.timeout_graceful_shutdown) == ("127.0.0.1", 8123, 3)
    assert made.lifespan == "on"
    assert not made.server_header
