from dataclasses import replace

import pytest
from msgspec.structs import replace as replace_struct

from service.call import events as e, inputs as i
from service.call.acts import Collect, SendDigits, Transfer
from service.call.decisions.ending import UNDIALABLE_LINE
from service.documents import Documents
from service.errors import CallAway, CallGone, CarrierBusy, Undialable
from service.session.acting import Acting
from service.switchboard.switchboard import Switchboard
from service.trust.token import TokenMint
from tests.conftest import wait_until
from tests.session.house import CALL, Caller, House, words_of

pytestmark = pytest.mark.asyncio

GREETING = "Hello and welcome to our support line, dear caller."


async def a_call(house: House) -> Caller:
    caller = await house.connect()
    await caller.is_told(GREETING)
    return caller


async def outcome(house: House) -> e.DigitsSent:
    async def is_there() -> bool:
        return "DigitsSent" in await house.kinds()

    await wait_until(is_there, description="the sending is recorded")
    return next(fact for fact in await house.facts() if isinstance(fact, e.DigitsSent))


async def test_digits_that_another_process_asked_for_restart_the_stream(house: House) -> None:
    caller = await a_call(house)
    await house.write(e.DigitsRequested(request="r1", digits="1w2"))
    assert (await outcome(house)).outcome == "sent"
    (twiml,) = house.carrier.asked_for("run_twiml")
    assert '<Play digits="1w2"' in twiml
    assert "<Connect" in twiml
    assert "<Redirect" in twiml
    kinds = await house.kinds()
    assert kinds.index("RestartPlanned") < kinds.index("DigitsSent")
    caller.drops("stop")
    again = await house.returns()
    assert again.call.streams[-1].cause == "dtmf"
    assert again.call.streams[0].reason == "restart"
    assert words_of(again.call) == [GREETING]


async def test_digits_with_long_parameters_are_fetched_from_our_address(house: House) -> None:
    opened = e.CallOpened(call_sid=CALL, parameters={f"name{n}": "&" * 490 for n in range(4)})
    caller = await house.connect(opening=(e.encode(opened),), parameters={})
    await caller.is_told(GREETING)
    await house.write(e.DigitsRequested(request="r1", digits="5"))
    assert (await outcome(house)).outcome == "sent"
    assert house.carrier.asked_for("redirect") == ["https://calls.example.com/twiml/resume?play=r1"]


@pytest.mark.parametrize(
    ("trouble", "word"),
    [
        (CallGone("over"), "call_gone"),
        (CarrierBusy("busy"), "failed"),
        (RuntimeError("a fault of the client"), "failed"),
    ],
)
async def test_what_the_carrier_refuses_is_recorded_and_the_call_goes_on(
    house: House, trouble: Exception, word: str
) -> None:
    caller = await a_call(house)
    house.carrier.trouble = trouble
    await house.write(e.DigitsRequested(request="r1", digits="5"))
    assert (await outcome(house)).outcome == word
    caller.presses("3")
    await wait_until(lambda: caller.call.digits_pending == "3", description="the talk goes on")


async def test_digits_of_the_agent_that_can_not_be_played_fail_and_the_call_goes_on(
    house: House,
) -> None:
    house.agent.script.append([SendDigits("12x")])
    house.speech.transcripts.append("dial it")
    caller = await a_call(house)
    caller.says()
    assert (await outcome(house)).outcome == "failed"
    assert house.carrier.asked == []
    assert caller.call.phase == "live"


async def test_a_person_says_a_line(house: House) -> None:
    caller = await a_call(house)
    await house.write(e.SayRequested(request="r2", text="This is Grace, I will take over now."))
    await caller.is_told("This is Grace, I will take over now.")
    assert caller.call.transcript[-1].who == "human"


async def test_a_note_is_known_and_nothing_is_said(house: House) -> None:
    caller = await a_call(house)
    await house.write(e.NoteAdded(text="He is angry."))
    await wait_until(lambda: bool(caller.call.notes), description="the note is known")
    assert words_of(caller.call) == [GREETING]


async def test_a_transfer_is_asked_of_the_carrier_and_ends_our_part(house: House) -> None:
    caller = await a_call(house)
    await house.write(e.TransferRequested(request="r3", to_number="+15550123"))
    await wait_until(lambda: caller.call.phase == "ended", description="our part is over")
    (twiml,) = house.carrier.asked_for("run_twiml")
    assert "+15550123" in twiml
    assert caller.call.end_reason == "transferred"


@pytest.mark.parametrize("trouble", [None, CarrierBusy("busy")])
async def test_a_transfer_that_can_not_be_dialled_leaves_no_silent_call_but_a_voicemail(
    house: House, trouble: Exception | None
) -> None:
    caller = await a_call(house)
    house.carrier.trouble = trouble
    await house.write(e.TransferRequested(request="r3", to_number="my colleague"))
    await wait_until(lambda: caller.call.phase == "ended", description="it ended")
    assert caller.call.end_reason == "transfer_impossible"
    (twiml,) = house.carrier.asked_for("run_twiml")
    assert twiml == house.means.documents.voicemail()
    await wait_until(lambda: caller.socket.closed is not None, description="the stream is closed")


async def test_an_agent_may_transfer_to_whoever_is_configured(house: House) -> None:
    house.agent.script.append([Transfer("")])
    house.speech.transcripts.append("a person please")
    caller = await a_call(house)
    caller.says()
    await wait_until(lambda: caller.call.phase == "ended", description="our part is over")
    (twiml,) = house.carrier.asked_for("run_twiml")
    assert "+15550100" in twiml
    assert caller.call.end_reason == "transferred"


async def test_with_nobody_configured_a_transfer_is_a_voicemail(house: House) -> None:
    unmanned = Documents("https://calls.example.com", TokenMint(["s"]), lambda: "n" * 16, "")
    house.means = replace(house.means, documents=unmanned)
    house.switchboard = Switchboard(house.means)
    caller = await a_call(house)
    await house.write(e.EndingPlanned(ending="transfer"))
    await wait_until(lambda: caller.call.phase == "ended", description="our part is over")
    assert house.carrier.asked_for("run_twiml") == [unmanned.voicemail()]
    assert caller.call.end_reason == "voicemail"


@pytest.mark.parametrize(
    ("trouble", "reason"), [(CallGone("over"), "over"), (CarrierBusy("busy"), "transferred")]
)
async def test_a_transfer_that_the_carrier_refuses_ends_the_stream(
    house: House, trouble: Exception, reason: str
) -> None:
    caller = await a_call(house)
    house.carrier.trouble = trouble
    await house.write(e.TransferRequested(request="r3", to_number="+15550123"))
    await wait_until(lambda: caller.socket.closed is not None, description="the stream is closed")
    assert caller.call.end_reason == reason


async def test_a_person_ends_the_call(house: House) -> None:
    caller = await a_call(house)
    await house.write(e.HangupRequested(request="r4"))
    await wait_until(lambda: caller.call.phase == "ended", description="it ended")
    assert house.carrier.asked == [("hang_up", CALL)]


async def test_a_callback_that_says_it_is_over_ends_the_session(house: House) -> None:
    caller = await a_call(house)
    await house.write(e.CallEnded(reason="completed"))
    await wait_until(lambda: len(house.switchboard) == 0, description="the session is gone")
    await wait_until(lambda: caller.socket.closed is not None, description="the socket is closed")
    assert house.carrier.asked == []
    assert await house.try_to_connect(stream_sid="MZ9") is None


@pytest.mark.parametrize(
    "trouble", [CarrierBusy("busy"), RuntimeError("a fault"), CallGone("gone")]
)
async def test_a_carrier_that_can_not_be_asked_about_a_detached_call_is_asked_again(
    house: House, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    monkeypatch.setattr("service.call.decisions.decide.CARRIER_WAIT_MS", 20)
    monkeypatch.setattr("service.call.decisions.decide.CARRIER_APART_MS", 1)
    caller = await a_call(house)
    house.carrier.trouble = trouble
    await caller.has_dropped()
    if isinstance(trouble, CallGone):
        await wait_until(lambda: caller.call.phase == "ended", description="it is over")
        assert caller.call.end_reason == "gone_at_carrier"
        return
    await wait_until(
        lambda: len(house.carrier.asked_for("is_live")) > 1, description="it is asked again"
    )
    assert caller.call.phase == "detached"


async def test_digits_under_way_when_the_stream_returns_are_not_taken_for_lost(
    house: House,
) -> None:
    caller = await a_call(house)
    house.carrier.may_answer.clear()
    await house.write(e.DigitsRequested(request="r1", digits="5"))
    await wait_until(lambda: bool(house.carrier.asked), description="the carrier is asked")
    caller.drops("stop")
    await house.returns()
    assert "DigitsSent" not in await house.kinds()
    house.carrier.may_answer.set()
    assert (await outcome(house)).outcome == "sent"


async def test_who_can_not_be_put_through_is_told_so_and_the_call_goes_on(house: House) -> None:
    house.agent.script.append([Transfer("")])
    house.speech.transcripts.append("a person please")
    caller = await a_call(house)
    house.carrier.trouble = Undialable("a page")
    caller.says()
    await caller.is_told(UNDIALABLE_LINE)
    assert (caller.call.phase, caller.call.ending) == ("live", "")
    assert len(house.carrier.asked_for("run_twiml")) == 1
    caller.presses("3")
    await wait_until(lambda: caller.call.digits_pending == "3", description="the talk goes on")


async def test_the_carrier_is_asked_about_a_stream_until_it_answers_or_a_new_one_comes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.call.decisions.decide.CARRIER_WAIT_MS", 20)
    monkeypatch.setattr("service.call.decisions.decide.CARRIER_APART_MS", 1)
    caller = await a_call(house)
    posted: list[object] = []
    acting = Acting(CALL, house.means, posted.append)
    assert not acting.is_asking_carrier(caller.call)
    house.carrier.may_answer.clear()
    acting.act(i.AskCarrier(), caller.call)
    assert acting.is_asking_carrier(caller.call)
    assert not acting.is_asking_carrier(replace_struct(caller.call, epoch=caller.call.epoch + 1))
    house.carrier.may_answer.set()
    await wait_until(lambda: not acting.is_busy, description="the carrier has answered")
    assert posted == [i.CarrierSays(is_over=False, outcome="redirected")]
    assert not acting.is_asking_carrier(caller.call)
    house.carrier.trouble = CallAway("the page has not come back", until_ms=1)
    acting.act(i.AskCarrier(), caller.call)
    await wait_until(lambda: not acting.is_busy, description="nobody can lead it back")
    assert acting.is_asking_carrier(caller.call), "only a new stream settles it"
    assert len(posted) == 1


PAY = Collect("Your card, please.", "card", 13, 19, is_card=True)


async def at_the_till(house: House) -> Caller:
    house.means = replace(house.means, policy=replace_struct(house.means.policy, pays=True))
    house.switchboard = Switchboard(house.means)
    house.agent.script.append([PAY])
    caller = await a_call(house)
    caller.presses("1#")
    await wait_until(lambda: bool(house.carrier.asked_for("run_twiml")), description="it is asked")
    return caller


async def test_the_carrier_is_asked_to_collect_a_card_and_nothing_else(house: House) -> None:
    caller = await at_the_till(house)
    (twiml,) = house.carrier.asked_for("run_twiml")
    assert '<Pay action="https://calls.example.com/twiml/paid?pay=c1.1#' in twiml
    assert "<Connect" not in twiml
    kinds = await house.kinds()
    assert kinds.index("CollectionBegan") < kinds.index("PayPlanned")
    caller.drops("stop")
    taken = e.CollectionEnded(collection="c1", outcome="taken", reference="tok_1")
    await house.write(taken, key="paid:c1.1")
    again = await house.returns()
    assert again.call.streams[-1].cause == "dtmf"
    assert again.call.fields["card"].value == "tok_1"
    await wait_until(lambda: again.call.turns == 3, description="the agent hears of it")


@pytest.mark.parametrize(
    ("trouble", "detail"), [(CarrierBusy("busy"), "busy"), (CallGone("over"), "over")]
)
async def test_a_card_that_can_not_be_asked_for_has_failed(
    house: House, trouble: Exception, detail: str
) -> None:
    house.carrier.trouble = trouble
    await at_the_till(house)

    async def is_there() -> bool:
        return "CollectionEnded" in await house.kinds()

    await wait_until(is_there, description="its end is written")
    (end,) = [fact for fact in await house.facts() if isinstance(fact, e.CollectionEnded)]
    assert (end.outcome, end.detail) == ("failed", detail)
