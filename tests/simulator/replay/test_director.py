import pytest

from service.simulator.exchange.exchange import Exchange
from service.simulator.phone import Phone
from service.simulator.replay import script as s
from service.simulator.replay.api import Api, Snapshot
from service.simulator.replay.director import Director
from service.simulator.streams import faults
from service.simulator.timeline import Kind
from tests.simulator.talker import API_TOKEN, Talker, tone

pytestmark = pytest.mark.asyncio
SAID = s.Say("said", tone(200, 300))


async def directed(
    exchange: Exchange, script: s.Script, api: Api | None = None
) -> tuple[Phone, Director]:
    phone = await exchange.call()
    director = Director(phone, script, api)
    await director.run()
    return phone, director


async def test_a_polite_caller_waits_for_the_agent(exchange: Exchange) -> None:
    script = s.Script(lines=(SAID, s.Wait(100), SAID))
    phone, director = await directed(exchange, script)
    assert director.is_done
    assert phone.course.ended_by == "the caller hung up"
    first, second = phone.timeline.of(Kind.CALLER_BEGAN)
    stretches = phone.ear.stretches
    assert len(stretches) == 3
    assert first.at_ms >= stretches[0].end_ms + 650
    assert second.at_ms >= stretches[1].end_ms + 650


async def test_a_caller_who_talks_over_waits_for_nobody(exchange: Exchange) -> None:
    script = s.Script(lines=(SAID, SAID), talk_over=True, length_ms_max=1_500)
    phone, _ = await directed(exchange, script)
    first, second = phone.caller.utterances
    assert second.start_ms - first.end_ms < 100


async def test_cues_come_at_their_time_and_on_their_condition(
    exchange: Exchange, talker: Talker
) -> None:
    script = s.Script(
        lines=(SAID,),
        cues=(
            s.Cue(s.AgentSpeaks(1, 100), s.Drop(faults.Reset())),
            s.Cue(s.CallerSpeaks(1, 100), s.Drop(faults.Stall(100))),
            s.Cue(s.AtTime(600), s.Press("1")),
        ),
    )
    phone, director = await directed(exchange, script)
    assert director.is_done
    reset, stall = phone.timeline.of(Kind.FAULT)
    assert 100 <= reset.at_ms - phone.ear.stretches[0].start_ms < 300
    assert 100 <= stall.at_ms - phone.caller.utterances[0].start_ms < 300
    assert phone.timeline.count(Kind.KEY) == 1
    assert phone.timeline.of(Kind.KEY)[0].at_ms - phone.timeline.origin_ms() >= 600
    assert talker.streams[-1].of("dtmf")


async def test_digits_are_asked_of_the_service(exchange: Exchange, talker: Talker) -> None:
    api = Api(talker.url, API_TOKEN)
    script = s.Script(
        cues=(
            s.Cue(s.AtTime(100), s.AskDigits("1w2")),
            s.Cue(s.AtTime(1_200), s.HangUpNow()),
        )
    )
    phone, director = await directed(exchange, script, api)
    await api.close()
    assert phone.timeline.count(Kind.DIGITS_SENT) == 1
    assert director.refusals == []
    assert isinstance(director.snapshot, Snapshot)


async def test_a_refusal_of_digits_is_kept(exchange: Exchange, talker: Talker) -> None:
    api = Api(talker.url + "/nowhere", API_TOKEN)
    script = s.Script(
        cues=(s.Cue(s.AtTime(0), s.AskDigits("1")), s.Cue(s.AtTime(200), s.HangUpNow()))
    )
    _, director = await directed(exchange, script, api)
    await api.close()
    assert "HTTP 404" in director.refusals[0]
    assert isinstance(director.snapshot, str)


async def test_a_script_that_takes_too_long_is_ended(exchange: Exchange) -> None:
    script = s.Script(cues=(s.Cue(s.AgentSpeaks(99), s.Drop(faults.Reset())),), length_ms_max=300)
    phone, director = await directed(exchange, script)
    assert not director.is_done
    assert phone.is_over


async def test_a_call_that_ends_by_itself_ends_the_script(
    exchange: Exchange, talker: Talker
) -> None:
    talker.documents["/twiml/voice"] = "<Response><Hangup/></Response>"
    phone, director = await directed(exchange, s.Script(lines=(SAID,), length_ms_max=5_000))
    assert phone.course.ended_by == "the document hung up"
    assert director.is_done
