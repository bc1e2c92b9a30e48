from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service.call import events as e
from service.clock import Clock
from service.errors import CallAway, CallGone, Undialable
from service.journal.journal import Journal
from service.journal.stores import connect
from service.pages.carriers import WINDOW_PASSED, Carriers
from service.pages.lines import COME_BACK, ENDED, Lines
from tests.pages.sockets import NotingSocket
from tests.session.parts import NotingCarrier

pytestmark = pytest.mark.asyncio

PAGE, PHONE = "WB" + "0" * 32, "CA" + "0" * 32
WINDOW_MS = 600_000


@pytest_asyncio.fixture
async def journal() -> AsyncIterator[Journal]:
    made = connect("sqlite://:memory:", ttl_ms=1_800_000, replicas=None)
    await made.start()
    yield made
    await made.close()


class Ground:
    """The two carriers, one socket of a page, and the real one noting."""

    def __init__(self, journal: Journal) -> None:
        self.journal, self.lines, self.socket = journal, Lines(), NotingSocket()
        self.real = NotingCarrier()
        self.both = Carriers(self.real, self.lines, journal, Clock(), WINDOW_MS)
        self.lines.join(PAGE, self.socket)


@pytest.fixture
def ground(journal: Journal) -> Ground:
    return Ground(journal)


async def test_the_carrier_is_asked_about_its_own_calls(ground: Ground) -> None:
    await ground.both.run_twiml(PHONE, "<Response><Dial/></Response>")
    await ground.both.redirect(PHONE, "u")
    await ground.both.hang_up(PHONE)
    assert await ground.both.is_live(PHONE)
    assert await ground.both.status(PHONE) == "in-progress"
    assert await ground.both.ring("1", "2", url="u", status_url="v", timeout_s=1) == "CAring1"
    assert await ground.both.rung("1", "2", since_ms=3) == ""
    asked = [name for name, _ in ground.real.asked]
    assert asked[:4] == ["run_twiml", "redirect", "hang_up", "is_live"]
    assert "ring" in asked
    assert "rung" in asked
    assert ground.socket.closed == []


@pytest.mark.parametrize(
    ("twiml", "code"),
    [
        ("<Response><Play digits='1'/><Connect><Stream/></Connect></Response>", COME_BACK),
        ("<Response><Say>One moment.</Say><Redirect>u</Redirect></Response>", COME_BACK),
        ("<Response><Say>Goodbye.</Say><Hangup/></Response>", ENDED),
    ],
)
async def test_a_page_does_what_a_document_amounts_to(
    ground: Ground, twiml: str, code: int
) -> None:
    await ground.both.run_twiml(PAGE, twiml)
    assert [one for one, _ in ground.socket.closed] == [code]
    assert ground.real.asked == []


async def test_nobody_can_be_dialled_from_a_page(ground: Ground) -> None:
    for verb in ("Dial", "Record"):
        with pytest.raises(Undialable):
            await ground.both.run_twiml(PAGE, f"<Response><{verb}/><Hangup/></Response>")
    assert ground.socket.closed == []


async def test_to_redirect_a_page_is_to_have_it_come_back(ground: Ground) -> None:
    await ground.both.redirect(PAGE, "u")
    await ground.both.hang_up(PAGE)
    assert [one for one, _ in ground.socket.closed] == [COME_BACK, ENDED]
    assert await ground.both.status(PAGE) == ""


async def test_a_page_that_is_away_is_waited_for_until_its_window_is_over(ground: Ground) -> None:
    opened, now_ms = e.encode(e.CallOpened(call_sid=PAGE)), Clock().now_ms()
    await ground.journal.open(PAGE, (opened,), now_ms=now_ms - 1_000)
    with pytest.raises(CallAway) as away:
        await ground.both.is_live(PAGE)
    assert away.value.until_ms == now_ms - 1_000 + WINDOW_MS
    ground.both = Carriers(ground.real, ground.lines, ground.journal, Clock(), 500)
    with pytest.raises(CallGone) as gone:
        await ground.both.is_live(PAGE)
    assert gone.value.reason == WINDOW_PASSED


async def test_a_call_that_nobody_knows_is_gone(ground: Ground) -> None:
    with pytest.raises(CallGone):
        await ground.both.is_live(PAGE)
