from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service.call import events as e
from service.clock import Clock
from service.errors import CallAway, CallGone, CarrierError
from service.journal.journal import Journal
from service.journal.stores import connect
from service.pages.closing import AWAY_MS_MAX, Closing
from service.pages.lines import COME_BACK, ENDED, Lines
from tests.pages.sockets import NotingSocket

pytestmark = pytest.mark.asyncio

CALL = "v3:9X2vxPDFY2-aiQ"


@pytest_asyncio.fixture
async def journal() -> AsyncIterator[Journal]:
    made = connect("sqlite://:memory:", ttl_ms=1_800_000, replicas=None)
    await made.start()
    yield made
    await made.close()


async def test_a_call_is_asked_for_something_by_closing_its_stream(journal: Journal) -> None:
    lines, socket = Lines(), NotingSocket()
    lines.join(CALL, socket)
    closing = Closing(lines, journal, Clock())
    await closing.run_twiml(CALL, "<Response><Dial>+1</Dial></Response>")
    await closing.redirect(CALL, "https://h.example/twiml/resume?moved=1")
    await closing.hang_up(CALL)
    assert [code for code, _ in socket.closed] == [COME_BACK, COME_BACK, ENDED]


async def test_what_it_can_not_be_asked_for_is_said(journal: Journal) -> None:
    lines, socket = Lines(), NotingSocket()
    lines.join(CALL, socket)
    closing = Closing(lines, journal, Clock())
    with pytest.raises(CarrierError, match="digits"):
        await closing.run_twiml(CALL, '<Response><Play digits="1"/></Response>')
    with pytest.raises(CarrierError, match="digits"):
        await closing.redirect(CALL, "https://h.example/twiml/resume?play=d1")
    with pytest.raises(CarrierError, match="ring"):
        await closing.ring("+1", "+2", url="", status_url="", timeout_s=1)
    assert await closing.rung("+1", "+2", since_ms=0) == ""
    assert await closing.status(CALL) == ""
    assert socket.closed == []


async def test_a_call_that_is_away_for_too_long_is_taken_for_over(journal: Journal) -> None:
    closing = Closing(Lines(), journal, Clock())
    with pytest.raises(CallGone):
        await closing.is_live(CALL)
    now_ms = Clock().now_ms()
    opened = e.encode(e.CallOpened(call_sid=CALL))
    await journal.open(CALL, (opened,), now_ms=now_ms)
    with pytest.raises(CallAway) as away:
        await closing.is_live(CALL)
    assert away.value.until_ms == now_ms + AWAY_MS_MAX
    old = "v3:old"
    await journal.open(old, (opened,), now_ms=now_ms - AWAY_MS_MAX)
    with pytest.raises(CallGone):
        await closing.is_live(old)
