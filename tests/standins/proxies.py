"""Proxies between servers, which can cut one server off from all others: no answer, no end of a line.

    proxies = Proxies()
    front = proxies.front(of=server_port, name="a")       others reach server a by this port
    proxies.cut("a")                                       whatever goes to a, or comes from it, is lost
    proxies.heal()

Who connects is told apart by the loopback address that it comes from: `source("a")`. The proxies live
in a thread of their own, so that a busy test delays no heartbeat.
"""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

CHUNK = 65_536
FIRST = 10  # the last number of the first server's own address


class Proxies:
    """The proxies of one town of servers."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._names: list[str] = []
        self._cut: frozenset[str] = frozenset()
        self._spares_clients = False
        self._is_over = False
        self._joins: dict[asyncio.Task[None], frozenset[str]] = {}
        self._listeners: list[asyncio.Server] = []
        self._thread.start()

    def source(self, name: str) -> str:
        """Return the address that the server `name` has to connect from."""
        if name not in self._names:
            self._names.append(name)
        return f"127.0.0.{FIRST + self._names.index(name)}"

    def front(self, port: int, *, of: int, name: str) -> None:
        """Let others reach the server `name`, which listens at the port `of`, by `port`."""
        self._call(self._listen(port, of, name))

    def cut(self, *names: str, with_clients: bool = True) -> None:
        """Lose all that goes to these servers or comes from them, through any proxy.

        Not `with_clients`, who is no server of the town still reaches them: what a server that is no
        primary any more, and does not know it yet, says to them is what is tried then.
        """
        self._spares_clients = not with_clients
        self._cut = frozenset(names)

    def heal(self) -> None:
        """Let everything through again; the lines of the cut ones are over, as after a long outage."""
        self._call(self._heal())

    def close(self) -> None:
        """End."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self, port: int, of: int, name: str) -> None:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            if self._is_over:
                writer.transport.abort()
                return
            number = int(writer.get_extra_info("peername")[0].rpartition(".")[2]) - FIRST
            peer = self._names[number] if 0 <= number < len(self._names) else ""
            self._joins[task] = frozenset({peer, name})
            try:
                await self._join(reader, writer, of, self._joins[task])
            except (OSError, asyncio.CancelledError):
                pass
            finally:
                del self._joins[task]
                writer.transport.abort()

        self._listeners.append(await asyncio.start_server(accept, "127.0.0.1", port))

    async def _join(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        port: int,
        ends: frozenset[str],
    ) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        ways = [
            asyncio.create_task(self._pass_on(reader, back, ends)),
            asyncio.create_task(self._pass_on(there, writer, ends)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            back.transport.abort()
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ends: frozenset[str]
    ) -> None:
        while chunk := await reader.read(CHUNK):
            if self._cut & ends and not (self._spares_clients and "" in ends):
                await asyncio.Event().wait()  # lost, and all that follows; `heal` ends the line
            writer.write(chunk)
            await writer.drain()

    async def _heal(self) -> None:
        cut, self._cut = self._cut, frozenset()
        for task, ends in self._joins.items():
            if cut & ends:
                task.cancel()

    async def _end(self) -> None:
        self._is_over = True
        for task in self._joins:
            task.cancel()
        # A listener that is closed while it lets somebody in forgets their socket.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)
        for listener in self._listeners:
            listener.close()
        await asyncio.sleep(0)  # what was aborted is closed in the loop's next round
