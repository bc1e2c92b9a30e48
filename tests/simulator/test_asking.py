import pytest

from service.clock import Clock
from service.simulator.account import Account, Number, Terms
from service.simulator.asking import DOCUMENTS_MAX, Asking
from service.simulator.caller import Ear, Mouth
from service.simulator.card import Card
from service.simulator.streams.bridge import Bridge
from service.simulator.timeline import Kind, Timeline
from service.simulator.twiml.verbs import Hangup
from service.simulator.webhook import Webhooks
from tests.simulator.talker import ACCOUNT, TOKEN, Talker

pytestmark = pytest.mark.asyncio

HANGUP = "<Response><Hangup/></Response>"


class Desk:
    """The asking of one call, with nobody on the line."""

    def __init__(self, talker: Talker, *, fallback_path: str = "/twiml/fallback") -> None:
        self.url = talker.url + "/other"
        self.timeline = Timeline()
        clock, account = Clock(), Account(ACCOUNT, TOKEN)
        number = Number(server_url=talker.url, fallback_path=fallback_path)
        card = Card(account=account, number=number, terms=Terms(), call_sid="CA1")
        self.webhooks = Webhooks(account, clock)
        self.asking = Asking(card, self.webhooks, self.timeline, clock)
        self.bridge = Bridge(
            card,
            mouth=Mouth(),
            ear=Ear(),
            timeline=self.timeline,
            clock=clock,
            tell=lambda *_: None,
            spawn=lambda work: work.close(),
        )

    async def ask(self, *, is_doubled: bool = False) -> object:
        fields = [("CallSid", "CA1")]
        answer = await self.asking.ask(self.bridge, self.url, fields, is_doubled=is_doubled)
        return answer and answer.document.verbs

    async def close(self) -> None:
        await self.bridge.release()
        await self.webhooks.close()


async def test_a_document_is_asked_for_and_noted(talker: Talker) -> None:
    talker.documents["/other"] = HANGUP
    desk = Desk(talker)
    assert await desk.ask() == (Hangup(),)
    assert desk.asking.failure is None
    assert [event.text for event in desk.timeline.of(Kind.ASKED)] == [desk.url]
    await desk.close()


async def test_a_failure_is_told_to_the_fallback(talker: Talker) -> None:
    talker.statuses["/other"] = 503
    talker.documents["/twiml/fallback"] = HANGUP
    desk = Desk(talker)
    assert await desk.ask() == (Hangup(),)
    told = talker.at("/twiml/fallback")[0].fields
    assert (told["CallSid"], told["ErrorCode"], told["ErrorUrl"]) == ("CA1", "11200", desk.url)
    assert desk.timeline.count(Kind.ASK_FAILED) == 1
    await desk.close()


@pytest.mark.parametrize("fallback_path", ["", "/twiml/fallback"])
async def test_without_a_document_the_reason_is_kept(talker: Talker, fallback_path: str) -> None:
    talker.statuses |= {"/other": 503, "/twiml/fallback": 404}
    desk = Desk(talker, fallback_path=fallback_path)
    assert await desk.ask() is None
    assert desk.asking.failure is not None
    assert desk.asking.failure.text == ("HTTP 404" if fallback_path else "HTTP 503")
    await desk.close()


async def test_a_webhook_may_be_posted_twice_at_once(talker: Talker) -> None:
    talker.documents["/other"] = HANGUP
    desk = Desk(talker)
    assert await desk.ask(is_doubled=True) == (Hangup(),)
    assert len(talker.at("/other")) == 2
    await desk.close()


async def test_a_call_that_asks_too_often_is_redirected_in_circles(talker: Talker) -> None:
    desk = Desk(talker, fallback_path="")
    desk.url = "no address"
    for _ in range(DOCUMENTS_MAX):
        await desk.ask()
    assert desk.asking.failure is not None
    assert "no URL" in desk.asking.failure.text
    assert await desk.ask() is None
    assert "circles" in desk.asking.failure.text
    await desk.close()
