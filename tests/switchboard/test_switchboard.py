import asyncio

import pytest
from structlog.contextvars import get_contextvars

from service import scope
from service.call import inputs as i
from service.session.session import Session
from service.switchboard import switchboard as module
from tests.conftest import for_a_moment, wait_until
from tests.session.house import CALL, Caller, House
from tests.session.parts import MemorySocket

pytestmark = pytest.mark.asyncio


async def test_the_first_stream_makes_the_session_and_the_second_finds_it(house: House) -> None:
    assert house.switchboard.find(CALL) is None
    first = await house.connect()
    second = await house.connect(stream_sid="MZ2")
    assert first.session is second.session is house.switchboard.find(CALL)
    assert len(house.switchboard) == 1
    assert b"stayline_calls_live 1.0" in house.meter.text()


async def test_a_session_is_in_its_calls_scope_whoever_puts_the_stream_through(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    scopes: list[object] = []

    async def run(_session: Session) -> None:
        scopes.append(get_contextvars())

    monkeypatch.setattr(Session, "run", run)
    scope.of_call("CA2")
    putting = asyncio.create_task(house.try_to_connect())
    await wait_until(lambda: bool(scopes), description="it runs")
    putting.cancel()
    await asyncio.gather(putting, return_exceptions=True)
    assert scopes == [{"call_sid": CALL}]


async def test_each_call_has_a_session_of_its_own(house: House) -> None:
    taken = await asyncio.gather(
        *(
            house.switchboard.attach(f"CA{number}", house.arrival(MemorySocket()))
            for number in range(20)
        )
    )
    assert len({id(one[0]) for one in taken if one}) == 20
    assert len(house.switchboard) == 20


async def test_what_waits_for_each_call_is_counted(house: House) -> None:
    caller = await house.connect()
    await wait_until(lambda: house.switchboard.waiting() == [0], description="all is taken")
    for key in "123":
        caller.session.post(i.Key(key))
    assert house.switchboard.waiting() == [3]
    await wait_until(lambda: house.switchboard.waiting() == [0], description="all is taken")


async def test_one_call_too_many_is_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SESSIONS_MAX", 1)
    await house.connect()
    assert await house.switchboard.attach("CA2", house.arrival(MemorySocket())) is None
    again = await house.try_to_connect(stream_sid="MZ2")
    assert again is not None


async def test_a_stream_that_comes_as_the_session_ends_gets_another(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.session.session.LINGER_MS", 0)
    caller = await house.connect()
    caller.drops()
    again = await house.returns()
    again.presses("4")
    await wait_until(lambda: again.call.digits_pending == "4", description="the talk goes on")


async def test_a_fault_in_a_session_ends_the_hold_and_not_the_call(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = await house.connect()

    def broken(*_given: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as faulty:
        faulty.setattr("service.session.scribe.decide", broken)
        caller.presses("1")
        await wait_until(lambda: len(house.switchboard) == 0, description="the hold has ended")
    await wait_until(lambda: caller.socket.closed is not None, description="the socket is closed")
    again = await house.returns()
    assert again.call.phase == "live"


async def test_a_fault_at_the_arrival_leaves_nobody_waiting(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("service.session.scribe.decide", broken)
    async with asyncio.timeout(2):
        assert await house.try_to_connect() is None


async def test_a_closed_switchboard_has_written_everything_and_takes_nobody(house: House) -> None:
    callers = [await house.connect()]
    await house.switchboard.close()
    assert len(house.switchboard) == 0
    assert (await house.stored()).phase == "detached"
    await wait_until(
        lambda: callers[0].socket.closed is not None, description="the socket is closed"
    )
    assert await house.try_to_connect() is None
    await house.switchboard.close()


async def test_a_session_that_does_not_end_is_cancelled_at_the_close(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLOSE_S_MAX", 0.02)
    caller = await house.connect()

    async def stuck(*_given: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(caller.session, "_detach", stuck)
    await house.switchboard.close()
    await for_a_moment(0)
    assert len(house.switchboard) == 0


async def somebody() -> bool:
    return True


async def nobody() -> bool:
    return False


async def heard(house: House) -> Caller:
    caller = await house.connect()
    await caller.is_told("Hello and welcome to our support line, dear caller.")
    return caller


async def test_a_drain_without_calls_asks_nobody_and_is_done(house: House) -> None:
    await house.switchboard.drain(nobody)
    assert house.switchboard.is_draining
    assert not house.switchboard.is_alone


async def test_a_server_that_is_alone_has_its_calls_wait_for_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NEIGHBOUR_MS_MAX", 30)
    monkeypatch.setattr(module, "PROBE_PAUSE_S", 0.01)
    caller = await heard(house)
    draining = asyncio.create_task(house.switchboard.drain(nobody))
    await wait_until(lambda: bool(house.carrier.asked), description="the carrier is asked")
    assert house.switchboard.is_alone
    assert [what for what, _ in house.carrier.asked] == ["run_twiml"]
    caller.drops("stop")
    await draining


async def test_who_never_pauses_is_moved_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requirement O-9: a running turn gets 5 s, then the call is handed over."""
    monkeypatch.setattr(module, "UNMOVED_MS_MAX", 200)
    caller = await heard(house)
    caller.speaks()
    await wait_until(lambda: not caller.session.may_part, description="the caller speaks")
    began_ms = house.clock.now_ms()
    draining = asyncio.create_task(house.switchboard.drain(somebody))
    await wait_until(lambda: bool(house.carrier.asked), description="the carrier is asked")
    assert house.clock.now_ms() - began_ms >= 200
    caller.drops("stop")
    await draining


async def test_a_drain_is_over_in_time_whatever_does_not_happen(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "DRAIN_S_MAX", 0.3)
    await heard(house)
    await house.switchboard.drain(somebody)
    assert len(house.switchboard) == 1
    assert "cut with 1 calls left" in caplog.text


async def test_a_call_that_ends_meanwhile_is_not_waited_for(house: House) -> None:
    caller = await heard(house)
    draining = asyncio.create_task(house.switchboard.drain(nobody))
    await wait_until(lambda: house.switchboard.is_draining, description="the drain has begun")
    caller.session.finish()
    await asyncio.wait_for(draining, 3)
    assert not house.switchboard.is_alone
    assert house.carrier.asked == []


async def test_calls_are_moved_at_most_so_many_a_second(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOVES_A_S", 50)
    callers = []
    for number in range(10):
        taken = await house.switchboard.attach(f"CA{number}", house.arrival(MemorySocket()))
        assert taken is not None
        callers.append(taken)
    monkeypatch.setattr(module, "UNMOVED_MS_MAX", 0)
    began_ms = house.clock.now_ms()
    draining = asyncio.create_task(house.switchboard.drain(somebody))
    await wait_until(lambda: len(house.carrier.asked) == 10, description="all are moved")
    assert house.clock.now_ms() - began_ms >= 9 * 20
    for session, epoch in callers:
        session.lost(epoch, "stop")
    await draining


async def test_a_call_that_comes_back_to_a_draining_server_is_moved_again(house: House) -> None:
    caller = await heard(house)
    draining = asyncio.create_task(house.switchboard.drain(somebody))
    await wait_until(lambda: bool(house.carrier.asked), description="the carrier is asked")
    again = await house.returns()  # its token was used before the drain began
    await wait_until(lambda: len(house.carrier.asked) == 2, description="it is asked again")
    assert caller.session is again.session
    again.drops("stop")
    await draining
