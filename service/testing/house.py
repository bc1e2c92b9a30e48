"""One address, and the servers that live there one after the other: what a restart and a kill are made of."""

from collections.abc import Callable

from starlette.applications import Starlette

from service.testing.server import HOST, Server, listening


class House:
    """`make` is called with the address at each start, and returns the application."""

    def __init__(self, make: Callable[[str], Starlette]) -> None:
        self._make = make
        self._door = listening()
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Where the service is reached."""
        return f"http://{HOST}:{self._door.getsockname()[1]}"

    @property
    def server(self) -> Server:
        """The server that runs now."""
        assert self._server is not None, "the house is not open"
        return self._server

    def open(self) -> None:
        """Start the first server. Raises what the making of the application raises."""
        self._server = self._started()

    def restart(self) -> None:
        """Deploy: the next server is up before the one before is told to end."""
        before, self._server = self.server, self._started()
        before.stop()

    def kill(self) -> None:
        """Kill the server, then start another one; who knocks meanwhile waits."""
        self.server.kill()
        self._server = self._started()

    def close(self) -> None:
        """Leave. Closing a house that never opened is harmless."""
        if self._server is not None:
            self._server.kill()
        self._door.close()

    def _started(self) -> Server:
        return Server(lambda: self._make(self.url), self._door)
