"""Real sockets under virtual time: what is read in rounds, and when; then on the loops that serve."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, cast

import pytest
import uvloop
from typing_extensions import override
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from service.wire import rounds as module
from service.wire.rounds import (
    BUSY,
    CALM,
    LOOK_S,
    PERIODS_MS,
    READ_BYTES,
    SLOTS,
    Reader,
    Rounds,
)
from tests.conftest import wait_until
from tests.simulation.loop import VirtualLoop

LONGEST_S = PERIODS_MS[-1] / 1_000
RISE_S = (len(PERIODS_MS) - 1) * LOOK_S  # from none to the longest period


class Transport(asyncio.Transport):
    """One end of a pair of sockets, as the loop holds it."""

    def __init__(self, ours: socket.socket, told: dict[str, Any]) -> None:
        super().__init__(told)
        self._ours = ours
        self._is_reading = True
        self._is_closing = False

    @override
    def is_reading(self) -> bool:
        return self._is_reading

    @override
    def is_closing(self) -> bool:
        return self._is_closing

    @override
    def pause_reading(self) -> None:
        assert self._is_reading, "the standard loop takes that for a fault"
        self._is_reading = False

    @override
    def resume_reading(self) -> None:
        self._is_reading = True

    @override
    def abort(self) -> None:
        self._is_closing = True
        self._ours.close()


class Connection:
    """What a connection brought, and when."""

    def __init__(self, **told: Any) -> None:
        ours, self.peer = socket.socketpair()
        ours.settimeout(0)
        self.transport: asyncio.Transport = Transport(ours, {"socket": ours, **told})
        self.read_paused = False
        self.reader: Reader | None = None
        self.came: list[tuple[float, bytes]] = []

    def data_received(self, data: bytes) -> None:
        self.came.append((asyncio.get_running_loop().time(), data))

    @property
    def octets(self) -> bytes:
        return b"".join(octets for _, octets in self.came)

    def close(self) -> None:
        self.transport.abort()
        self.peer.close()


class Faulty(Connection):
    @override
    def data_received(self, data: bytes) -> None:
        raise ValueError("a fault")


class Process:
    """A loop whose thread works for `share` of the time, and its rounds."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.share = 0.0
        self._worked_us, self._at_s = 0.0, self.loop.time()
        self.rounds = Rounds(self._spent)
        self._connections: list[Connection] = []

    def _spent(self) -> int:
        now_s = self.loop.time()
        self._worked_us += (now_s - self._at_s) * self.share * 1e6
        self._at_s = now_s
        return round(self._worked_us)

    def has(self, connection: Connection) -> Connection:
        """Have a connection join."""

        async def join() -> None:
            connection.reader = self.rounds.join(cast(WebSocketsSansIOProtocol, connection))

        self._connections.append(connection)
        self.loop.run_until_complete(join())
        return connection

    def passes(self, wait_s: float, share: float | None = None) -> None:
        """Let time pass, so busy."""
        self._spent()
        self.share = self.share if share is None else share
        self.loop.run_until_complete(asyncio.sleep(wait_s))

    def gets_busy(self) -> None:
        """Let so much time pass that all are read in the longest rounds."""
        self.passes(RISE_S + LONGEST_S, share=1.0)

    def close(self) -> None:
        for one in self._connections:
            one.close()
        self.loop.close()


@contextmanager
def process() -> Iterator[Process]:
    made = Process()
    try:
        yield made
    finally:
        made.close()


def test_a_loop_that_has_air_reads_everything_as_it_comes() -> None:
    with process() as one:
        caller = one.has(Connection())
        caller.peer.send(b"a frame")
        one.passes(10, share=BUSY - 0.01)
        assert one.rounds.period_ms == 0
        assert caller.transport.is_reading()
        assert caller.came == [], "that is left to the loop"


def test_the_busier_the_longer_and_calm_again_step_by_step() -> None:
    with process() as one:
        one.has(Connection())
        periods = []
        for share in (BUSY, BUSY, BUSY, 1.0, (BUSY + CALM) / 2, CALM, CALM, CALM, 0.0):
            one.passes(LOOK_S, share)
            periods.append(one.rounds.period_ms)
    assert periods == [40, 60, 80, 80, 80, 60, 40, 0, 0]


def test_in_rounds_all_that_came_is_read_at_once_and_in_order() -> None:
    with process() as one:
        caller = one.has(Connection())
        one.gets_busy()
        frames = [b"frame %d " % number for number in range(20)]
        for frame in frames:
            caller.peer.send(frame)
            one.passes(0.02)
        one.passes(LONGEST_S)
    assert caller.octets == b"".join(frames)
    assert not caller.transport.is_reading()
    assert 4 <= len(caller.came) <= 6, "twenty frames, about four at a time"


def test_each_turn_of_the_loop_reads_a_part_of_the_callers() -> None:
    with process() as one:
        callers = [one.has(Connection()) for _ in range(3 * SLOTS)]
        one.gets_busy()
        for caller in callers:
            caller.peer.send(b"a frame")
        one.passes(LONGEST_S)
        moments = [caller.came[0][0] for caller in callers]
        assert len(set(moments)) == SLOTS
        assert max(map(moments.count, moments)) == 3
        assert max(moments) - min(moments) < LONGEST_S


def test_when_it_is_calm_again_the_loop_has_them_back() -> None:
    with process() as one:
        caller = one.has(Connection())
        one.gets_busy()
        assert not caller.transport.is_reading()
        one.passes(RISE_S + LONGEST_S, share=0.0)
        assert caller.transport.is_reading()
        caller.peer.send(b"a frame")
        one.passes(1)
        assert caller.came == []


@pytest.mark.parametrize("how", ["closed", "reset"])
def test_the_end_of_a_connection_is_left_to_the_loop(how: str) -> None:
    with process() as one:
        caller = one.has(Connection())
        one.gets_busy()
        if how == "reset":
            caller.transport.get_extra_info("socket").send(b"never read")  # so it is no good end
        caller.peer.send(b"the last")
        caller.peer.close()
        one.passes(3 * LONGEST_S)
        assert caller.octets in ({b"the last"} if how == "closed" else {b"the last", b""})
        assert caller.transport.is_reading()


def test_who_left_is_read_no_more_and_may_leave_again() -> None:
    with process() as one:
        caller = one.has(Connection())
        one.gets_busy()
        assert caller.reader is not None
        one.rounds.leave(caller.reader)
        one.rounds.leave(caller.reader)
        caller.peer.send(b"a frame")
        one.passes(1)
        assert caller.came == []
        assert caller.transport.is_reading()


def test_what_the_application_does_not_take_is_not_read() -> None:
    with process() as one:
        caller = one.has(Connection())
        one.gets_busy()
        caller.read_paused = True
        caller.peer.send(b"a frame")
        one.passes(1)
        assert caller.came == []
        caller.read_paused = False
        caller.transport.resume_reading()  # as uvicorn does then
        one.passes(LONGEST_S)
        assert caller.octets == b"a frame"
        assert not caller.transport.is_reading()


def test_the_descriptor_of_a_connection_that_closes_is_never_read() -> None:
    """Its number is given to the next one, whose bytes these would be."""
    with process() as one:
        gone = one.has(Connection())
        one.gets_busy()
        number = gone.transport.get_extra_info("socket").fileno()
        gone.transport.abort()
        next_one = Connection()
        assert number in {next_one.transport.get_extra_info("socket").fileno(), next_one.peer.fileno()}  # fmt: skip
        next_one.peer.send(b"for the next")
        next_one.transport.get_extra_info("socket").send(b"for its peer")
        one.passes(1)
        assert gone.came == []
        next_one.close()


def test_a_fault_of_one_is_not_that_of_the_others(caplog: pytest.LogCaptureFixture) -> None:
    with process() as one:
        faulty, caller = one.has(Faulty()), one.has(Connection())
        one.gets_busy()
        faulty.peer.send(b"a frame")
        caller.peer.send(b"a frame")
        one.passes(2 * LONGEST_S)
        assert faulty.transport.is_closing()
        assert caller.octets == b"a frame"
    actions = [record.action for record in caplog.records if hasattr(record, "action")]
    assert actions == ["connection_failed"]


def test_who_has_much_to_say_is_read_as_long_as_others_a_piece_in_each_round() -> None:
    with process() as one:
        caller = one.has(Connection())
        one.gets_busy()
        caller.peer.settimeout(0)
        sent = 0
        with suppress(BlockingIOError):
            while sent < 4 * READ_BYTES:
                sent += caller.peer.send(bytes(READ_BYTES // 4))
        one.passes(10 * LONGEST_S)
        assert len(caller.octets) == sent
        assert max(len(octets) for _, octets in caller.came) <= READ_BYTES


@pytest.mark.parametrize(
    "told", [{"socket": None}, {"sslcontext": object()}], ids=["no socket", "TLS"]
)
def test_what_only_the_loop_can_read_does_not_join(told: dict[str, object]) -> None:
    with process() as one:
        caller = one.has(Connection(**told))
        one.gets_busy()
        assert one.rounds.period_ms == 0
        assert caller.transport.is_reading()


def test_who_is_gone_before_it_joins_is_not_kept() -> None:
    with process() as one:
        caller = Connection()
        caller.close()
        one.has(caller)
        looks = one.loop.callbacks
        one.passes(100)
        assert one.loop.callbacks - looks < 5, "nobody is looked after"


def test_with_nobody_there_nothing_is_looked_at() -> None:
    with process() as one:
        caller = one.has(Connection())
        one.passes(RISE_S, share=1.0)
        caller.close()
        one.passes(RISE_S)
        assert one.rounds.period_ms == 0
        looks = one.loop.callbacks
        one.passes(100)
        assert one.loop.callbacks - looks < 5


class Real(asyncio.Protocol):
    """A connection of a loop that serves; it joins when it is made."""

    transport: asyncio.Transport
    read_paused = False

    def __init__(self, rounds: Rounds) -> None:
        self.rounds = rounds
        self.came = b""
        self.is_lost = False

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # what uvloop has is none by its class
        self.rounds.join(cast(WebSocketsSansIOProtocol, self))

    @override
    def data_received(self, data: bytes) -> None:
        self.came += data

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True


@asynccontextmanager
async def in_rounds(looks: pytest.MonkeyPatch) -> AsyncIterator[tuple[Real, socket.socket]]:
    """A connection that is read in rounds, and its peer."""
    looks.setattr(module, "LOOK_S", 0.01)
    loop = asyncio.get_running_loop()
    rounds = Rounds(lambda: int(loop.time() * 1e6))
    made = list[Real]()

    def make() -> Real:
        made.append(Real(rounds))
        return made[-1]

    server = await loop.create_server(make, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()) as peer:
        await wait_until(lambda: bool(made), description="it is connected")
        (one,) = made
        await wait_until(lambda: not one.transport.is_reading(), description="it is read in rounds")
        yield one, peer
    await wait_until(lambda: one.is_lost, description="its end was noticed")
    server.close()
    await server.wait_closed()


LOOPS = pytest.mark.parametrize("loop", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])  # fmt: skip
Loop = Callable[[], asyncio.AbstractEventLoop]


@LOOPS
def test_on_a_loop_that_serves_what_comes_is_read_and_its_end_is_noticed(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> bytes:
        async with in_rounds(monkeypatch) as (one, peer):
            for number in range(50):
                peer.send(b"%d " % number)
                await wait_until(lambda: one.came.endswith(b" "), description="some of it came")
            one.transport.resume_reading()  # as uvicorn does, when the application has taken something
            peer.send(b"the last")
        return one.came

    with asyncio.Runner(loop_factory=loop) as runner:
        came = runner.run(run())
    assert came == b"".join(b"%d " % number for number in range(50)) + b"the last"


@LOOPS
def test_on_a_loop_that_serves_a_reset_is_noticed_and_no_fault(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        async with in_rounds(monkeypatch) as (_, peer):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(run())
    assert not [record for record in caplog.records if record.name.startswith("service")]


@LOOPS
def test_on_a_loop_that_serves_our_own_end_is_one(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with in_rounds(monkeypatch) as (one, peer):
            one.transport.abort()
            await wait_until(lambda: one.is_lost, description="it is gone")
            peer.settimeout(5)
            with suppress(ConnectionError):
                assert peer.recv(1) == b""

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(run())
