import asyncio
import gc
import socket
import threading
import warnings

from tests.conftest import free_port
from tests.standins.proxies import Proxies


def test_who_connects_at_the_very_end_leaves_nothing_open() -> None:
    """A server that looks for its neighbours does so until it dies."""
    proxies, port = Proxies(), free_port()
    proxies.front(port, of=free_port(), name="a")
    loop, may_go_on = proxies._loop, threading.Event()
    loop.call_soon_threadsafe(may_go_on.wait)
    neighbours = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
    ending = asyncio.run_coroutine_threadsafe(proxies._end(), loop)
    ending.add_done_callback(lambda _: loop.stop())  # as `close` does, with no round more
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        may_go_on.set()
        proxies._thread.join()
        loop.close()
        del proxies, ending
        gc.collect()
    for neighbour in neighbours:
        neighbour.close()
    assert [str(one.message) for one in told] == []
