import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from service.call import events as e
from service.call.decisions.decide import RESTART_WAIT_MS
from service.call.privacy import PAY_WAIT_MS
from service.errors import CallAway, CallGone, CarrierError, StoreUnavailable
from service.journal.journal import Journal
from service.journal.limits import UNCLAIMED_MS
from service.journal.stores import connect
from service.pages.carriers import WINDOW_PASSED
from service.session.kept.ledger import LEASE_MS, RENEW_MS
from service.switchboard import reconciler as module
from service.switchboard.reconciler import ADOPT_MS, LOOK_MS, STILL_MS, TOOL_GRACE_MS, Reconciler
from tests.conftest import wait_until
from tests.ruin import START_MS, Hands, Ruin, Server
from tests.session.house import CALL

pytestmark = pytest.mark.asyncio

ROUND_MS = 1_000


@pytest.fixture
def still_ms() -> int:
    """How long a lease must stand unrenewed before our eyes: a test looks once."""
    return 0


@pytest_asyncio.fixture
async def ruin(monkeypatch: pytest.MonkeyPatch, still_ms: int) -> AsyncIterator[Ruin]:
    monkeypatch.setattr(module, "STILL_MS", still_ms)
    journal = connect("sqlite://:memory:", ttl_ms=86_400_000)
    await journal.start()
    opened = Ruin(journal, Hands())
    yield opened
    for server in opened.servers:
        await server.house.close()
    await journal.close()


@asynccontextmanager
async def while_it_looks(server: Server) -> AsyncIterator[None]:
    """What is done meanwhile is done after the carrier was asked, and before it answers."""
    server.carrier.may_answer.clear()
    looking = asyncio.create_task(server.look())
    await wait_until(lambda: bool(server.carrier.asked), description="the carrier is asked")
    yield
    server.carrier.may_answer.set()
    await looking


async def test_an_abandoned_call_is_led_back_by_the_carrier(ruin: Ruin) -> None:
    server = ruin.server()
    await ruin.held()
    await server.look()
    assert server.carrier.asked == [], "it is held"
    await ruin.lapses()
    await server.look()
    assert server.carrier.asked == [
        ("is_live", CALL),
        ("redirect", "https://calls.example.com/twiml/resume"),
    ]
    call = await ruin.call()
    assert (call.phase, call.streams[-1].last_media_ms) == ("live", START_MS)
    assert await ruin.kinds() == ["CallOpened", "StreamAttached", "CallAdopted"]
    assert [server.meter(f"calls_{name}") for name in ("adopted", "redirected", "closed")] == [1, 1, 0]  # fmt: skip


async def test_of_many_servers_one_asks(ruin: Ruin) -> None:
    servers = [ruin.server(f"server {number}") for number in range(4)]
    for number in range(20):
        await ruin.held(f"CA{number}")
    await ruin.lapses()
    await asyncio.gather(*(server.look() for server in servers))
    asked = [detail for server in servers for detail in server.carrier.asked_for("is_live")]
    assert sorted(asked) == sorted(f"CA{number}" for number in range(20))
    assert sum(server.redirects() for server in servers) == 20


async def test_a_call_that_died_with_its_server_is_closed_once(ruin: Ruin) -> None:
    """R-15."""
    servers = [ruin.server("a"), ruin.server("b")]
    for server in servers:
        server.carrier.live = False
    await ruin.held()
    await ruin.lapses()
    for _ in range(30):
        await asyncio.gather(*(server.look() for server in servers))
        await ruin.lapses(ROUND_MS)
    assert (await ruin.kinds()).count("CallEnded") == 1
    assert (await ruin.call()).end_reason == "gone_at_carrier"
    assert sum(server.meter("calls_closed") for server in servers) == 1
    assert not await ruin.is_looked_after()


async def test_a_carrier_that_can_not_be_asked_ends_nothing(ruin: Ruin) -> None:
    server = ruin.server()
    server.carrier.trouble = CarrierError("busy", status=503)
    await ruin.held()
    await ruin.lapses()
    for _ in range(600):
        await server.look()
        await ruin.lapses(ROUND_MS)
    assert (await ruin.call()).phase == "live"
    tries = len(server.carrier.asked)
    assert 5 <= tries <= 10, "each try waits longer than the one before"
    assert server.meter("carrier_errors") == tries
    server.carrier.trouble = None
    await ruin.lapses(module.ADOPT_MS_MAX * 2)
    await server.look()
    assert server.redirects() == 1


async def test_a_call_that_does_not_come_is_led_back_again_later(ruin: Ruin) -> None:
    server = ruin.server()
    await ruin.held()
    await ruin.lapses()
    await server.look()
    await ruin.lapses(ADOPT_MS - 1)
    await server.look()
    assert server.redirects() == 1
    await ruin.lapses(ADOPT_MS)
    await server.look()
    assert server.redirects() == 2
    assert (await ruin.kinds()).count("CallAdopted") == 1


async def test_a_holder_that_only_slept_goes_on(ruin: Ruin) -> None:
    """R-2: what is fenced is fenced by a stream's claim, not by looking after a call."""
    server = ruin.server()
    await ruin.held()
    await ruin.lapses()
    await server.look()
    now_ms = ruin.hands.now_ms
    await ruin.written((e.DigitPressed(digit="1"),), epoch=1)
    renewed = await ruin.journal.lease(
        CALL, epoch=1, owner="gone", until_ms=now_ms + LEASE_MS, now_ms=now_ms
    )
    assert renewed
    await ruin.lapses(ADOPT_MS * 2)
    (found,) = await ruin.journal.lapsed(now_ms=ruin.hands.now_ms, limit=5)
    assert getattr(found.lease, "owner", "") == "gone"


async def test_a_call_that_came_back_meanwhile_is_left_alone(ruin: Ruin) -> None:
    server = ruin.server()
    await ruin.held()
    await ruin.lapses()
    async with while_it_looks(server):
        await ruin.held(owner="there")
    assert server.redirects() == 0


async def test_what_its_holder_writes_shows_that_it_woke(ruin: Ruin) -> None:
    server = ruin.server()
    await ruin.held()
    await ruin.lapses()
    async with while_it_looks(server):
        await ruin.written((e.DigitPressed(digit="1"),), epoch=1)
    assert server.redirects() == 0


async def test_a_call_held_here_and_one_that_is_drained_are_nobodys_business(ruin: Ruin) -> None:
    server = ruin.server()
    caller = await server.house.connect()
    await ruin.lapses(ADOPT_MS)
    await server.look()
    assert server.carrier.asked == []
    assert caller.call.phase == "live"
    draining = ruin.server("draining")
    draining.house.switchboard.is_draining = True
    await draining.look()
    assert draining.carrier.asked == []


async def test_a_call_whose_stream_never_came_is_looked_after(ruin: Ruin) -> None:
    server = ruin.server()
    server.carrier.live = False
    await ruin.opened()
    await ruin.lapses(UNCLAIMED_MS - 1)
    await server.look()
    assert server.carrier.asked == []
    await ruin.lapses(1)
    await server.look()
    assert (await ruin.call()).phase == "ended"
    assert not await ruin.is_looked_after()


async def test_a_call_that_ended_is_let_go_of_without_asking(ruin: Ruin) -> None:
    server = ruin.server()
    await ruin.held(CALL, e.CallEnded(reason="completed"))
    await ruin.lapses()
    await server.look()
    assert server.carrier.asked == []
    assert not await ruin.is_looked_after()
    assert server.meter("calls_adopted") == 0


async def test_a_call_that_only_rings_is_not_gone(
    ruin: Ruin, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ruin.server()
    await ruin.held()
    await ruin.lapses()

    async def refuses(_call_sid: str, _url: str) -> None:
        raise CallGone("the carrier answered 400, code 21220", status=400)

    monkeypatch.setattr(server.carrier, "redirect", refuses)
    await server.look()
    assert (await ruin.call()).phase == "live"
    server.carrier.live = False
    await ruin.lapses(ADOPT_MS * 3)
    await server.look()
    assert (await ruin.call()).phase == "ended"


async def test_digits_that_the_carrier_is_sending_are_not_cut_short(ruin: Ruin) -> None:
    server = ruin.server()
    await ruin.held(
        CALL,
        e.DigitsRequested(request="r1", digits="1" * 90),
        e.RestartPlanned(request="r1", cause="dtmf"),
    )
    await ruin.lapses()
    await server.look()
    assert server.carrier.asked == []
    await ruin.lapses(RESTART_WAIT_MS)
    await server.look()
    assert server.redirects() == 1


def at_the_till() -> tuple[e.Known, ...]:
    began = e.CollectionBegan(
        collection="c1", field="card", keys_min=13, keys_max=19, is_card=True, sink="pay"
    )
    return began, e.PayPlanned(collection="c1", round=1)


async def test_a_caller_at_the_carriers_till_is_not_led_back_before_its_time(ruin: Ruin) -> None:
    server = ruin.server()
    await ruin.held(CALL, *at_the_till())
    await ruin.lapses()
    await server.look()
    assert [what for what, _ in server.carrier.asked] == ["is_live"]
    await ruin.lapses(PAY_WAIT_MS)
    await server.look()
    assert server.redirects() == 1


async def test_a_caller_who_hung_up_at_the_till_is_noticed(ruin: Ruin) -> None:
    server = ruin.server()
    await ruin.held(CALL, *at_the_till())
    server.carrier.live = False
    await ruin.lapses()
    await server.look()
    assert "CallEnded" in await ruin.kinds(CALL)


def tool(name: str, deadline_ms: int, *, is_idempotent: bool = False) -> tuple[e.Known, e.Known]:
    asked = e.OperationRequested(
        operation=name, tool="note", arguments={}, turn=1, is_idempotent=is_idempotent,
        attempts_max=1, deadline_ms=deadline_ms,
    )  # fmt: skip
    return asked, e.OperationDispatched(operation=name, attempt=1)


async def test_a_tool_that_nobody_answers_for_any_more_gets_its_final_state(ruin: Ruin) -> None:
    """R-12: the call ended, its server died, and the tool's deadline passed."""
    server = ruin.server()
    deadline_ms = START_MS + 60_000
    tools = (*tool("o1", deadline_ms), *tool("o2", deadline_ms, is_idempotent=True))
    await ruin.held(CALL, *tools, e.CallEnded(reason="completed"))
    await ruin.lapses()
    while ruin.hands.now_ms <= deadline_ms + TOOL_GRACE_MS + ROUND_MS:
        await server.look()
        is_final = not (await ruin.call()).pending()
        assert is_final == (ruin.hands.now_ms >= deadline_ms + TOOL_GRACE_MS)
        await ruin.lapses(ROUND_MS)
    call = await ruin.call()
    assert {one.operation: one.status for one in call.operations} == {
        "o1": "unknown",
        "o2": "timed_out",
    }
    assert server.carrier.asked == []
    assert not await ruin.is_looked_after()


async def test_a_tool_of_a_call_found_dead_is_waited_for_until_its_deadline(ruin: Ruin) -> None:
    """R-12."""
    server = ruin.server()
    server.carrier.live = False
    await ruin.held(CALL, *tool("o1", START_MS + 30_000))
    await ruin.lapses()
    await server.look()
    call = await ruin.call()
    assert (call.phase, len(call.pending())) == ("ended", 1)
    await ruin.lapses(30_000)
    await server.look()
    assert (await ruin.call()).operations[0].status == "unknown"
    assert not await ruin.is_looked_after()


async def test_others_may_write_while_a_call_is_closed(ruin: Ruin) -> None:
    server = ruin.server()
    server.carrier.live = False
    await ruin.held()
    await ruin.lapses()
    async with while_it_looks(server):
        await ruin.written((e.CallEnded(reason="completed"),))
    assert (await ruin.kinds()).count("CallEnded") == 1
    assert not await ruin.is_looked_after()


async def test_redirects_are_paced(ruin: Ruin, monkeypatch: pytest.MonkeyPatch) -> None:
    """O-9: at most twenty a second."""
    monkeypatch.setattr(module, "REDIRECTS_A_S", 100)
    server = ruin.server()
    for number in range(module.AT_ONCE_MAX + 8):
        await ruin.held(f"CA{number}")
    await ruin.lapses()
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await server.look()
    assert server.redirects() == module.AT_ONCE_MAX, "and the rest in the next round"
    assert loop.time() - began_s >= (module.AT_ONCE_MAX - 1) / 100
    await server.look()
    assert server.redirects() == module.AT_ONCE_MAX + 8


@pytest.mark.parametrize("still_ms", [STILL_MS])
@pytest.mark.parametrize("seed", range(40))
async def test_a_call_is_found_at_most_one_look_after_its_lease(ruin: Ruin, seed: int) -> None:
    """G1: five seconds of a lease and one look, wherever in its second a server dies."""
    chance = random.Random(seed)
    server = ruin.server()
    await ruin.held()
    renews_ms = looks_ms = renewed_ms = ruin.hands.now_ms
    dies_ms = renewed_ms + chance.randrange(3_000, 6_000)
    while not server.redirects():
        ruin.hands.now_ms = min(renews_ms, looks_ms)
        if ruin.hands.now_ms == renews_ms:
            renewed_ms = renews_ms
            await ruin.journal.lease(
                CALL, epoch=1, owner="gone", until_ms=renewed_ms + LEASE_MS, now_ms=renewed_ms
            )
            renews_ms += chance.randrange(RENEW_MS * 4 // 5, RENEW_MS + 1)
            renews_ms = renews_ms if renews_ms < dies_ms else sys.maxsize
        if ruin.hands.now_ms == looks_ms:
            await server.look()
            looks_ms += chance.randrange(LOOK_MS * 4 // 5, LOOK_MS + 1)
    found_ms = ruin.hands.now_ms - renewed_ms
    assert LEASE_MS <= found_ms <= LEASE_MS + LOOK_MS, f"seed {seed}"


@pytest.mark.parametrize("still_ms", [STILL_MS])
async def test_a_clock_that_is_ahead_makes_nobodys_calls_look_abandoned(ruin: Ruin) -> None:
    """R-13: a lease that is renewed before our eyes is held, whatever the clocks say."""
    server = ruin.server(ahead_ms=3_600_000)
    await ruin.held()
    for _ in range(30):
        now_ms = ruin.hands.now_ms
        await ruin.journal.lease(
            CALL, epoch=1, owner="gone", until_ms=now_ms + LEASE_MS, now_ms=now_ms
        )
        await server.look()
        await ruin.lapses(ROUND_MS)
    assert server.carrier.asked == []
    for _ in range(STILL_MS // ROUND_MS + 1):
        await server.look()
        await ruin.lapses(ROUND_MS)
    assert server.redirects() == 1, "and the call that nobody renews is found"


class Absent:
    """A store that was away for a moment."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.is_away = False
        self.rounds = 0

    def has_looked(self, rounds: int) -> bool:
        return self.rounds >= rounds

    async def lapsed(self, *, now_ms: int, limit: int) -> object:
        self.rounds += 1
        if self.is_away:
            raise StoreUnavailable("away")
        return await self.journal.lapsed(now_ms=now_ms, limit=limit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.journal, name)


@pytest.mark.parametrize("still_ms", [STILL_MS])
async def test_a_store_that_was_away_makes_nobodys_calls_look_abandoned(
    ruin: Ruin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O-6: nobody could renew; whoever holds a call does so first."""
    monkeypatch.setattr(module, "LOOK_MS", 10)
    server = ruin.server()
    store: Any = Absent(ruin.journal)
    watching = Reconciler(replace(server.house.means, journal=store), server.house.switchboard)
    await ruin.held()
    await ruin.lapses()
    store.is_away = True
    running = asyncio.create_task(watching.run())
    await wait_until(partial(store.has_looked, 3), description="it looks at an absent store")
    store.is_away = False
    await wait_until(partial(store.has_looked, 6), description="it looks at a store that is back")
    await ruin.lapses(STILL_MS - 1)
    await wait_until(partial(store.has_looked, 9), description="it looks for a while")
    assert server.carrier.asked == []
    await ruin.lapses(1)
    await wait_until(lambda: server.redirects() == 1, description="then it is found")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_call_whose_other_side_is_away_is_left_alone_until_its_window_is_over(
    ruin: Ruin,
) -> None:
    server = ruin.server()
    until_ms = START_MS + LEASE_MS + 60_000
    server.carrier.trouble = CallAway("the page has not come back yet", until_ms=until_ms)
    await ruin.held()
    await ruin.lapses()
    await server.look()
    asked = len(server.carrier.asked)
    await ruin.lapses(59_000)
    await server.look()
    assert len(server.carrier.asked) == asked, "nobody asks before the window is over"
    assert (await ruin.call()).phase == "live"
    assert server.meter("carrier_errors") == 0
    server.carrier.trouble = CallGone("it did not come back in time", reason=WINDOW_PASSED)
    await ruin.lapses(2_000)
    await server.look()
    assert (await ruin.call()).end_reason == WINDOW_PASSED
    assert server.redirects() == 0
    assert not await ruin.is_looked_after()
