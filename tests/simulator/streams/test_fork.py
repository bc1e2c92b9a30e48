import pytest

from service.audio import level
from service.simulator.exchange.exchange import Exchange
from service.simulator.phone import Phone
from service.simulator.streams.fork import TRACKS_MAX
from service.simulator.timeline import Kind
from tests.simulator.talker import Heard, Talker, tone

pytestmark = pytest.mark.asyncio

WORD = tone(1_500)


def ear(talker: Talker, name: str, stop: str = "", path: str = "/media") -> str:
    url = talker.url.replace("http", "ws", 1) + path
    start = f'<Start><Stream url="{url}" name="{name}" statusCallback="/callbacks/stream">'
    before = f'<Stop><Stream name="{stop}"/></Stop>' if stop else ""
    return f'{start}<Parameter name="ear" value="{name}"/></Stream></Start>{before}'


def document(talker: Talker, *ears: str, then: str = "") -> str:
    return talker.document().replace("<Response>", "<Response>" + "".join(ears) + then)


def ears(talker: Talker) -> list[Heard]:
    return [one for one in talker.streams if one.of("start") and name_of(one)]


def name_of(heard: Heard) -> str:
    return str(heard.of("start")[0]["start"]["customParameters"].get("ear", ""))


def loud(heard: Heard) -> int:
    return sum(len(frame) for frame in heard.frames if level(frame) > 500)


async def listened_to(phone: Phone, count: int = 1) -> None:
    await phone.until(lambda it: it.is_live and len(it.forks) == count, "call and ears are there")


async def test_an_ear_hears_the_caller_through_a_drop_without_a_sample_lost(
    exchange: Exchange, talker: Talker
) -> None:
    talker.documents["/twiml/voice"] = document(talker, ear(talker, "ear-1"))
    phone = await exchange.call()
    await listened_to(phone)
    phone.caller.say(WORD)
    await phone.caller.drop("reset")
    await phone.until(lambda it: it.streams == 2 and it.is_live, "the stream comes back")
    await phone.until(lambda it: it.timeline.count(Kind.CALLER_STOPPED) == 1, "all is said")
    await phone.until(lambda _: WORD in b"".join(ears(talker)[0].frames), "the ear heard it all")
    assert loud(talker.streams[0]) < len(WORD) or name_of(talker.streams[0])
    assert phone.timeline.count(Kind.STREAM_OPENED) == 2, "an ear is no stream of the call's own"
    assert phone.warnings == []


async def test_the_next_ear_takes_the_place_of_the_one_before(
    exchange: Exchange, talker: Talker
) -> None:
    talker.documents["/twiml/voice"] = document(talker, ear(talker, "ear-1"))
    talker.documents["/twiml/resume"] = document(
        talker, ear(talker, "ear-2", stop="ear-1"), then='<Say>Wait</Say><Play digits="1"/>'
    )
    phone = await exchange.call()
    await listened_to(phone)
    await phone.caller.drop("eof")
    await phone.until(lambda it: it.timeline.count(Kind.FORK_ENDED) == 1, "the first one ends")
    await phone.until(lambda it: it.streams == 2 and it.is_live, "the stream comes back")
    assert [event.text for event in phone.timeline.of(Kind.FORK_OPENED)] == ["ear-1", "ear-2"]
    assert [event.text for event in phone.timeline.of(Kind.FORK_ENDED)] == ["ear-1"]
    assert len(ears(talker)[0].of("stop")) == 1
    await phone.hang_up()
    assert phone.timeline.count(Kind.FORK_ENDED) == 2
    told = [asked.fields["StreamName"] for asked in talker.at("/callbacks/stream")]
    assert {"ear-1", "ear-2"} <= set(told)


async def test_an_ear_gets_no_keys(exchange: Exchange, talker: Talker) -> None:
    talker.documents["/twiml/voice"] = document(talker, ear(talker, "ear-1"))
    phone = await exchange.call()
    await listened_to(phone)
    await phone.caller.press("1")
    await phone.until(lambda _: any(one.of("dtmf") for one in talker.streams), "the key arrives")
    assert not ears(talker)[0].of("dtmf")


async def test_what_is_sent_on_an_ear_is_a_broken_rule_and_ends_it(
    exchange: Exchange, talker: Talker
) -> None:
    talker.documents["/twiml/voice"] = document(talker, ear(talker, "ear-1"))
    phone = await exchange.call()
    await listened_to(phone)
    await talker.speak_on(talker.streams.index(ears(talker)[0]))
    await phone.until(lambda it: it.timeline.count(Kind.FORK_ENDED) == 1, "the ear ends")
    assert phone.timeline.of(Kind.FORK_ENDED)[0].value == 31_924
    assert phone.warnings[0].startswith("31951 ")
    assert phone.is_live


async def test_an_ear_is_cut_apart_from_the_stream(exchange: Exchange, talker: Talker) -> None:
    talker.documents["/twiml/voice"] = document(talker, ear(talker, "ear-1"))
    phone = await exchange.call()
    await listened_to(phone)
    await phone.caller.drop_ear("reset")
    await phone.until(lambda it: it.timeline.count(Kind.FORK_ENDED) == 1, "the ear ends")
    assert phone.is_live
    assert phone.streams == 1
    await phone.caller.drop_ear()
    assert phone.timeline.of(Kind.NOTE)[-1].text == "no stream for reset"


async def test_a_name_that_is_taken_and_one_track_too_many_begin_nothing(
    exchange: Exchange, talker: Talker
) -> None:
    wanted = [f"ear-{number}" for number in range(TRACKS_MAX + 1)]
    talker.documents["/twiml/voice"] = document(
        talker, *(ear(talker, name) for name in ("ear-0", *wanted))
    )
    phone = await exchange.call()
    await listened_to(phone, TRACKS_MAX)
    notes = [event.text for event in phone.timeline.of(Kind.NOTE)]
    assert notes == [
        "a listening stream ear-0 is there already",
        f"no listening stream ear-{TRACKS_MAX}: the call has {TRACKS_MAX} tracks",
    ]


async def test_an_ear_that_is_stopped_before_it_is_open_never_listens(
    exchange: Exchange, talker: Talker
) -> None:
    stop = '<Stop><Stream name="ear-1"/></Stop>'
    talker.documents["/twiml/voice"] = document(talker, ear(talker, "ear-1"), stop, stop)
    phone = await exchange.call()
    await phone.until(lambda it: it.timeline.count(Kind.FORK_ENDED) == 1, "it is stopped")
    assert phone.forks == []
    assert phone.timeline.of(Kind.NOTE)[0].text == "no listening stream ear-1 to stop"


async def test_an_ear_whose_handshake_fails_leaves_the_call_alone(
    exchange: Exchange, talker: Talker
) -> None:
    talker.documents["/twiml/voice"] = document(talker, ear(talker, "ear-1", path="/nowhere"))
    phone = await exchange.call()
    await phone.until(lambda it: it.timeline.count(Kind.FORK_FAILED) == 1, "it fails")
    await phone.until(lambda it: it.is_live, "the stream is there")
    assert phone.timeline.of(Kind.FORK_FAILED)[0].value == 31_920
