import socket

import pytest

from service.simulator.account import AfterError, Terms
from service.simulator.answering import Party
from service.simulator.asking import DOCUMENTS_MAX
from service.simulator.exchange.exchange import Exchange
from service.simulator.order import Fetch, Perform
from service.simulator.phone import Phone
from service.simulator.timeline import Kind
from service.simulator.twiml.document import read
from tests.simulator.conftest import QUICK
from tests.simulator.talker import Talker

pytestmark = pytest.mark.asyncio


async def over(phone: Phone) -> None:
    await phone.until(lambda it: it.is_over, "the call is over")
    await phone.finished()


async def test_verbs_run_in_order_and_then_the_call_ends(
    exchange: Exchange, talker: Talker
) -> None:
    talker.documents["/twiml/voice"] = (
        '<Response><Say>Hello</Say><Play digits="1w"/><Play>http://h/a</Play><Gather/>'
        '<Pause length="0"/><Dial>+15550100</Dial></Response>'
    )
    phone = await exchange.call()
    await over(phone)
    texts = [event.text for event in phone.timeline.of(Kind.VERB, Kind.DIGITS_SENT)]
    assert texts[0] == "says: Hello"
    assert texts[1] == "1w"
    assert texts[-1] == "dials +15550100"
    assert phone.course.ended_by == "the document had no verb left"


async def test_hangup_ends_the_call(exchange: Exchange, talker: Talker) -> None:
    talker.documents["/twiml/voice"] = "<Response><Hangup/><Say>never</Say></Response>"
    phone = await exchange.call()
    await over(phone)
    assert phone.timeline.count(Kind.VERB) == 0
    assert talker.at("/callbacks/call")[0].fields["CallStatus"] == "completed"


async def test_without_an_action_the_next_verb_follows_a_stream(
    exchange: Exchange, talker: Talker
) -> None:
    media = talker.url.replace("http", "ws") + "/media"
    talker.documents["/twiml/voice"] = (
        f'<Response><Connect><Stream url="{media}"/></Connect><Redirect>/other</Redirect></Response>'
    )
    phone = await exchange.call()
    await phone.until(lambda it: it.is_live, "the stream is there")
    await phone.caller.drop("close")
    await phone.until(lambda it: it.streams == 2 and it.is_live, "the stream comes back")
    assert talker.at("/other")


async def test_a_dialled_call_comes_back_by_its_action(exchange: Exchange, talker: Talker) -> None:
    talker.documents["/twiml/voice"] = '<Response><Dial action="/other">+1555</Dial></Response>'
    phone = await exchange.call()
    await phone.until(lambda it: it.is_live, "the stream is there")
    told = talker.at("/other")[0].fields
    assert told["DialCallStatus"] == "completed"
    assert told["DialCallDuration"] == "0"
    assert told["DialCallSid"].startswith("CA")
    assert told["DialCallSid"] != told["CallSid"]


@pytest.mark.parametrize("outcome", ["busy", "no-answer", "failed", "canceled"])
async def test_a_dial_that_nobody_answers_tells_its_action_so(
    exchange: Exchange, talker: Talker, outcome: str
) -> None:
    talker.documents["/twiml/voice"] = '<Response><Dial action="/other">+1555</Dial></Response>'
    talker.documents["/other"] = "<Response><Hangup/></Response>"
    phone = await exchange.call(terms=Terms(pace=QUICK, party=Party(outcome)))
    await over(phone)
    told = talker.at("/other")[0].fields
    assert told["DialCallStatus"] == outcome
    assert "DialCallDuration" not in told
    assert [(one.text, one.value) for one in phone.timeline.of(Kind.DIAL_ENDED)] == [(outcome, 0)]


async def test_a_dial_without_an_action_goes_on_with_the_next_verb(
    exchange: Exchange, talker: Talker
) -> None:
    talker.documents["/twiml/voice"] = "<Response><Dial>+1555</Dial><Say>bye</Say></Response>"
    phone = await exchange.call()
    await over(phone)
    assert [one.text for one in phone.timeline.of(Kind.VERB)] == ["dials +1555", "says: bye"]


RECORD = '<Response><Record action="/other" finishOnKey="#"/><Say>silence</Say></Response>'


async def test_a_message_is_recorded_and_told_to_the_action(
    exchange: Exchange, talker: Talker
) -> None:
    talker.documents["/twiml/voice"] = RECORD
    talker.documents["/other"] = "<Response><Hangup/></Response>"
    phone = await exchange.call(terms=Terms(pace=QUICK, message_ms=40))
    await over(phone)
    told = talker.at("/other")[0].fields
    assert told["RecordingUrl"].startswith(f"{exchange.api_url}/2010-04-01/Accounts/AC")
    assert told["RecordingUrl"].endswith(told["RecordingSid"])
    assert (told["RecordingDuration"], told["Digits"]) == ("1", "#")
    assert [one.value for one in phone.timeline.of(Kind.RECORDED)] == [40]


async def test_a_message_ends_at_its_longest(exchange: Exchange, talker: Talker) -> None:
    talker.documents["/twiml/voice"] = (
        '<Response><Record action="/other" maxLength="0"/></Response>'
    )
    talker.documents["/other"] = "<Response><Hangup/></Response>"
    phone = await exchange.call(terms=Terms(pace=QUICK, message_ms=60_000))
    await over(phone)
    assert "Digits" not in talker.at("/other")[0].fields


async def test_a_caller_who_says_nothing_hears_the_next_verb(
    exchange: Exchange, talker: Talker
) -> None:
    talker.documents["/twiml/voice"] = RECORD
    phone = await exchange.call(terms=Terms(pace=QUICK, message_ms=0))
    await over(phone)
    assert not talker.at("/other")
    assert phone.timeline.of(Kind.VERB)[-1].text == "says: silence"


async def test_a_message_that_ends_with_the_call_is_told_all_the_same(
    exchange: Exchange, talker: Talker
) -> None:
    talker.documents["/twiml/voice"] = RECORD
    phone = await exchange.call(terms=Terms(pace=QUICK, message_ms=60_000))
    await phone.until(lambda it: it.timeline.count(Kind.VERB) == 1, "the beep is heard")
    await phone.hang_up()
    (asked,) = talker.at("/other")
    assert (asked.fields["Digits"], asked.fields["CallStatus"]) == ("hangup", "completed")
    assert phone.streams == 0
    assert phone.course.ended_by == "the caller hung up"


async def test_a_failing_webhook_leads_to_the_fallback(exchange: Exchange, talker: Talker) -> None:
    talker.statuses["/twiml/voice"] = 500
    phone = await exchange.call()
    await phone.until(lambda it: it.is_live, "the stream is there")
    told = talker.at("/twiml/fallback")[0].fields
    assert told["ErrorCode"] == "11200"
    assert told["ErrorUrl"].endswith("/twiml/voice")


async def test_two_failing_webhooks_end_the_call(exchange: Exchange, talker: Talker) -> None:
    talker.statuses |= {"/twiml/voice": 500, "/twiml/fallback": 500}
    phone = await exchange.call()
    await over(phone)
    assert phone.timeline.count(Kind.ASK_FAILED) == 2
    assert phone.timeline.count(Kind.ANSWERED) == 0


async def test_a_service_that_is_not_there_ends_the_call(exchange: Exchange) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        exchange.route(f"http://127.0.0.1:{free.getsockname()[1]}")
    phone = await exchange.call()
    await over(phone)
    assert "no connection" in phone.course.ended_by


async def test_redirects_in_circles_end(exchange: Exchange, talker: Talker) -> None:
    talker.documents["/other"] = "<Response><Redirect>/other</Redirect></Response>"
    talker.documents["/twiml/voice"] = talker.documents["/other"]
    phone = await exchange.call()
    await phone.until(lambda it: it.is_over, "the call is over", timeout_ms=20_000)
    await phone.finished()
    assert "circles" in phone.course.ended_by
    assert len(talker.at("/other")) < DOCUMENTS_MAX


async def test_a_cut_verbs_action_may_be_asked_too_and_the_order_wins(
    exchange: Exchange, talker: Talker
) -> None:
    phone = await exchange.call(terms=Terms(pace=QUICK, action_on_cut=True))
    await phone.until(lambda it: it.is_live, "the stream is there")
    phone.order(Perform(read('<Response><Play digits="7"/><Pause length="60"/></Response>')))
    await phone.until(lambda it: it.timeline.count(Kind.DIGITS_SENT) == 1, "the digits are sent")
    assert len(talker.at("/twiml/resume")) == 1
    assert phone.streams == 1


async def test_after_a_drop_the_next_verb_may_run_instead_of_the_action(
    exchange: Exchange, talker: Talker
) -> None:
    talker.documents["/twiml/voice"] = talker.document().replace(
        f"<Redirect>{talker.url}/twiml/resume", f"<Redirect>{talker.url}/other"
    )
    phone = await exchange.call(terms=Terms(pace=QUICK, after_error=AfterError.VERB))
    await phone.until(lambda it: it.is_live, "the stream is there")
    await phone.caller.drop("reset")
    await phone.until(lambda it: it.streams == 2 and it.is_live, "the stream comes back")
    assert talker.at("/other")
    assert not talker.at("/twiml/resume")


async def test_after_a_drop_the_call_may_wait_for_an_order(
    exchange: Exchange, talker: Talker
) -> None:
    phone = await exchange.call(terms=Terms(pace=QUICK, after_error=AfterError.NOTHING))
    await phone.until(lambda it: it.is_live, "the stream is there")
    await phone.caller.drop("reset")
    await phone.until(lambda it: it.timeline.count(Kind.STREAM_ENDED) == 1, "the stream ends")
    phone.order(Fetch(talker.url + "/other"))
    await phone.until(lambda it: it.streams == 2 and it.is_live, "the order takes the call")
    assert not talker.at("/twiml/resume")


async def test_an_order_cuts_whatever_is_being_done(exchange: Exchange, talker: Talker) -> None:
    talker.documents["/twiml/voice"] = '<Response><Pause length="600"/></Response>'
    phone = await exchange.call()
    await phone.until(lambda it: it.status == "in-progress", "the call is answered")
    phone.order(Perform(read(talker.document())))
    await phone.until(lambda it: it.is_live, "the stream is there")
    await phone.hang_up()
    assert phone.is_over


async def test_what_twilio_complains_about_is_noted(exchange: Exchange, talker: Talker) -> None:
    talker.documents["/twiml/voice"] = "<Response><Shout/></Response>"
    phone = await exchange.call()
    await over(phone)
    assert phone.warnings == ["12200 <Shout> is no verb"]
