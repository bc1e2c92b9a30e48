import pytest

from service.call import events as e
from service.call.acts import HangUp, Say
from service.call.decisions.resume import INTERRUPTED_LINE, LOST_LINE
from service.clock import Clock
from service.session import session as module
from tests.conftest import for_a_moment, wait_until
from tests.session.house import CALL, House, words_of
from tests.session.parts import MemorySocket

pytestmark = pytest.mark.asyncio

GREETING = "Hello and welcome to our support line, dear caller."


async def test_a_new_call_is_greeted_once_and_the_greeting_is_heard(house: House) -> None:
    caller = await house.connect()
    await caller.is_told(GREETING)
    assert (await house.kinds()).count("Greeted") == 1
    assert caller.socket.events()[0] == "media"
    assert "clear" not in caller.socket.events()
    assert caller.call.streams[0].cause == "new"
    assert caller.call.streams[0].gap_ms == 0


async def test_two_sentences_in_a_row_are_said_without_a_clear_between_them(house: House) -> None:
    house.agent.greeting = [
        Say("This is the first sentence of two."),
        Say("And this here is the second."),
    ]
    caller = await house.connect()
    await caller.is_told("And this here is the second.")
    assert "clear" not in caller.socket.events()
    assert house.speech.said == [
        "This is the first sentence of two.",
        "And this here is the second.",
    ]


async def test_what_the_caller_says_is_answered(house: House) -> None:
    house.speech.transcripts.append("my printer is on fire")
    caller = await house.connect()
    await caller.is_told(GREETING)
    caller.says()
    await caller.is_told("You said my printer is on fire to me.")
    assert caller.call.transcript[1].who == "caller"


async def test_a_drop_in_the_greeting_goes_on_with_the_clause_that_was_cut(house: House) -> None:
    house.agent.greeting = [
        Say("Here is the very first sentence. And here comes the second one. This one is the last.")
    ]
    house.speech.ms_a_word = 300
    socket = MemorySocket()
    socket.is_listening = False
    caller = await house.connect(socket=socket)
    await wait_until(lambda: len(socket.marks()) >= 5, description="the first clause was sent")
    first = next(mark for mark in socket.marks() if mark.endswith(".14400"))
    caller.session.echoed(caller.epoch, first)
    await wait_until(
        lambda: caller.call.prompts[0].clauses_heard == 1, description="a clause was heard"
    )
    await caller.has_dropped()
    house.speech.said.clear()
    house.speech.ms_a_word = 20
    again = await house.returns()
    await wait_until(lambda: not again.call.prompts, description="the rest was heard")
    assert house.speech.said == ["And here comes the second one.", "This one is the last."]
    assert (await house.kinds()).count("Greeted") == 1
    assert words_of(again.call) == [
        "Here is the very first sentence. And here comes the second one. This one is the last."
    ]
    assert again.call.streams[-1].cause == "drop"


async def test_a_drop_before_the_agent_has_greeted_leads_to_one_greeting(house: House) -> None:
    house.agent.may_answer.clear()
    caller = await house.connect()
    await caller.has_dropped()
    again = await house.returns()
    house.agent.may_answer.set()
    await again.is_told(GREETING)
    assert len(house.agent.turns) == 1
    assert (await house.kinds()).count("Greeted") == 1


async def test_a_drop_in_the_callers_speech_keeps_the_half_and_asks_for_the_rest(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.speech.transcripts.extend(["my ticket number is", "one two three"])
    caller = await house.connect()
    await caller.is_told(GREETING)
    caller.speaks(500)
    await caller.has_dropped()
    await wait_until(lambda: bool(caller.call.half_text), description="the half was recognised")
    monkeypatch.setattr("service.call.decisions.resume.WORDS_LOST_MS", 0)
    again = await house.returns()
    await again.is_told(INTERRUPTED_LINE)
    again.says()
    await again.is_told("You said my ticket number is one two three to me.")
    assert house.agent.turns[-1].earlier == "my ticket number is"


async def test_a_drop_in_silence_is_resumed_in_silence(house: House) -> None:
    caller = await house.connect()
    await caller.is_told(GREETING)
    await caller.has_dropped()
    again = await house.returns()
    assert again.socket.sent == []
    assert words_of(again.call) == [GREETING]


async def test_half_typed_digits_stand_after_a_drop(house: House) -> None:
    caller = await house.connect()
    await caller.is_told(GREETING)
    caller.presses("12")
    await wait_until(lambda: caller.call.digits_pending == "12", description="two keys are noted")
    await caller.has_dropped()
    again = await house.returns()
    assert again.call.digits_pending == "12"
    again.presses("34#")
    await again.is_told("You said 1234 to me.")


async def test_the_callers_speech_over_ours_clears_and_cuts_what_was_not_heard(
    house: House,
) -> None:
    house.speech.ms_a_word = 300
    house.speech.transcripts.append("wait")
    socket = MemorySocket()
    socket.is_listening = False
    caller = await house.connect(socket=socket)
    await wait_until(lambda: len(socket.sent) > 5, description="two seconds were sent")
    for _ in range(30):
        caller.speaks(20)
    await wait_until(
        lambda: "clear" in socket.events(), description="the carrier's buffer is cleared"
    )
    await wait_until(lambda: caller.call.transcript[0].cut, description="the greeting is cut")
    assert socket.events()[-1] == "clear"
    assert caller.call.transcript[0].heard == ""


@pytest.mark.parametrize("words", ["Mm-hm.", ""])
async def test_a_false_alarm_lets_our_sentence_go_on_where_it_stopped(
    house: House, words: str
) -> None:
    house.speech.ms_a_word = 300
    house.speech.transcripts.extend([words] * 3)
    socket = MemorySocket()
    socket.is_listening = False
    caller = await house.connect(socket=socket)
    await wait_until(lambda: len(socket.sent) > 5, description="two seconds were sent")
    caller.says(200)
    await wait_until(lambda: socket.events()[-1] != "clear", description="it goes on")
    socket.is_listening = True
    socket.listen()
    await caller.is_told(GREETING)
    assert not caller.call.transcript[0].cut
    assert "clear" in socket.events()
    assert [turn.reason for turn in house.agent.turns] == ["opening"]


async def test_the_farewell_is_heard_before_the_call_is_ended(house: House) -> None:
    house.agent.greeting = [Say("Goodbye and thank you for calling us today."), HangUp()]
    socket = MemorySocket()
    socket.is_listening = False
    caller = await house.connect(socket=socket)
    await wait_until(lambda: bool(socket.marks()), description="the farewell is sent")
    assert house.carrier.asked == []
    socket.is_listening = True
    socket.listen()
    await wait_until(lambda: socket.closed is not None, description="the socket is closed")
    assert house.carrier.asked == [("hang_up", CALL)]
    assert caller.call.phase == "ended"
    assert caller.call.end_reason == "hung_up"
    assert socket.grace_ms == module.OVER_MS
    await wait_until(lambda: house.switchboard.find(CALL) is None, description="it is over")


async def test_a_key_in_the_farewell_does_not_keep_the_call_from_ending(house: House) -> None:
    house.agent.greeting = [Say("Goodbye and thank you for calling us today."), HangUp()]
    socket = MemorySocket()
    socket.is_listening = False
    caller = await house.connect(socket=socket)
    await wait_until(lambda: bool(socket.marks()), description="the farewell is sent")
    for mark in socket.marks():
        caller.session.echoed(caller.epoch, mark)
    caller.presses("5")  # in the same instant: this asks how far the farewell got
    await wait_until(lambda: socket.closed is not None, description="the socket is closed")
    assert house.carrier.asked_for("hang_up") == [CALL]


async def test_a_carrier_that_can_not_hang_up_gets_the_stream_closed_instead(house: House) -> None:
    house.carrier.trouble = RuntimeError("a fault of the client")
    house.agent.greeting = [Say("Goodbye."), HangUp()]
    caller = await house.connect()
    await wait_until(lambda: caller.socket.closed is not None, description="the stream is closed")
    assert (await house.stored()).end_reason == "stream_closed"


async def test_a_known_call_whose_journal_is_gone_is_told_so_and_not_greeted(house: House) -> None:
    caller = await house.returns()
    await caller.is_told(LOST_LINE)
    kinds = await house.kinds()
    assert "ContextLost" in kinds
    assert "Greeted" not in kinds
    assert house.agent.turns[0].reason == "context_lost"


async def test_who_was_greeted_by_a_server_whose_writes_were_lost_is_told_so_and_not_greeted(
    house: House,
) -> None:
    apart = e.encode(e.Greeted(prompt="p1")).decode()
    await house.journal.open(CALL, [e.encode(e.CallOpened(call_sid=CALL))], now_ms=Clock().now_ms())
    await house.write(e.BranchOrphaned(epoch=1, count=4, lost=(apart,)))
    caller = await house.connect(stream_sid="MZ2", door="resume")
    await caller.is_told(LOST_LINE)
    assert "Greeted" not in await house.kinds()
    assert house.meter.value("stayline_restores_total", source="nowhere") == 1


async def test_a_call_that_drops_too_often_goes_to_the_last_resort(house: House) -> None:
    caller = await house.connect()
    for number in range(2, 6):
        await caller.has_dropped()
        caller = await house.returns(stream_sid=f"MZ{number}")
    await wait_until(
        lambda: bool(house.carrier.asked_for("run_twiml")), description="the carrier apologises"
    )
    assert "+15550100" in house.carrier.asked_for("run_twiml")[0]
    assert "DropLimitReached" in await house.kinds()


async def test_a_session_outlives_its_stream_for_a_while_and_then_goes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LINGER_MS", 60)
    caller = await house.connect()
    await caller.is_told(GREETING)
    await caller.has_dropped()
    assert house.switchboard.find(CALL) is caller.session
    await wait_until(lambda: len(house.switchboard) == 0, description="the session is gone")
    assert (await house.stored()).phase == "detached"


async def test_a_lingering_session_waits_for_the_carrier_without_spinning(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LINGER_MS", 30)
    monkeypatch.setattr(module, "LINGER_AGAIN_MS", 20)
    caller = await house.connect()
    await caller.is_told(GREETING)
    house.carrier.may_answer.clear()
    await house.write(e.DigitsRequested(request="r1", digits="1"))
    await wait_until(lambda: bool(house.carrier.asked), description="the carrier is asked")
    await caller.has_dropped()
    looks = 0

    def look() -> int | None:
        nonlocal looks
        looks += 1
        return original()

    original = caller.session._due_ms
    monkeypatch.setattr(caller.session, "_due_ms", look)
    await for_a_moment(0.2)
    assert looks < 30
    house.carrier.may_answer.set()
    await wait_until(lambda: len(house.switchboard) == 0, description="the session is gone")


@pytest.mark.parametrize(("carrier_says", "phase"), [("live", "detached"), ("gone", "ended")])
async def test_a_carrier_that_does_not_come_back_is_asked(
    house: House, monkeypatch: pytest.MonkeyPatch, carrier_says: str, phase: str
) -> None:
    monkeypatch.setattr("service.call.decisions.decide.CARRIER_WAIT_MS", 30)
    monkeypatch.setattr("service.call.decisions.decide.CARRIER_APART_MS", 1)
    live = carrier_says == "live"
    house.carrier.live = live
    caller = await house.connect()
    await caller.is_told(GREETING)
    await caller.has_dropped()
    await wait_until(lambda: bool(house.carrier.asked_for("is_live")), description="it is asked")
    await wait_until(
        lambda: bool(house.carrier.asked_for("redirect")) is live and caller.call.phase == phase,
        description="it is pulled back, or over",
    )
    if live:
        assert house.carrier.asked_for("redirect")[0] == "https://calls.example.com/twiml/resume"
        await wait_until(
            lambda: caller.call.updated_ms > (caller.call.streams[0].detached_ms or 0),
            description="the pull-back is recorded",
        )


async def test_a_shutdown_is_written_and_the_stream_closed(house: House) -> None:
    caller = await house.connect()
    await caller.is_told(GREETING)
    await house.switchboard.close()
    stored = await house.stored()
    assert stored.phase == "detached"
    assert stored.streams[0].reason == "shutdown"
    await wait_until(lambda: caller.socket.closed is not None, description="the socket is closed")
    assert await house.try_to_connect(stream_sid="MZ2", door="resume") is None


async def test_a_stream_that_broke_by_another_servers_word_is_a_drop(house: House) -> None:
    """O-3: the carrier told it there, and the holder hears of it in the journal."""
    caller = await house.connect()
    await house.write(e.StreamError(stream_sid="MZ0", code=31924))
    await house.write(e.StreamError(stream_sid="MZ1", code=31924), key="next")
    await wait_until(lambda: caller.call.phase == "detached", description="the drop is noted")
    assert [(one.reason, one.is_broken) for one in caller.call.streams] == [("error", True)]
    await wait_until(lambda: caller.socket.closed is not None, description="the socket is closed")
    again = await house.returns()
    assert again.call.streams[-1].cause == "drop"
    assert again.call.drops_since(0) == 1
