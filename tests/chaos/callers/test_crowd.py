import pytest

from service.chaos.callers.crowd import Crowd, Unspoken
from service.testing.talker import BOOKED, GREETING
from service.testing.textspeech import spoken
from tests.chaos.deployment import Deployment
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio


async def test_callers_come_press_codes_and_are_answered(
    crowd: Crowd, deployment: Deployment
) -> None:
    phones = await crowd.gather(3)
    assert len(crowd.live) == 3
    crowd.press_on(every_ms=50, seed=1)
    await wait_until(lambda: all(phone.answers for phone in phones), description="all are answered")
    crowd.press_on(every_ms=0, seed=0)
    keys = [one["dtmf"]["digit"] for one in deployment.streams[0].of("dtmf")]
    assert "".join(keys).startswith("000#")
    await phones[0].hang_up()
    assert crowd.ended == [phones[0]]


async def test_what_was_heard_is_read_off_the_audio(crowd: Crowd) -> None:
    (phone,) = await crowd.gather(1)
    strand = phone.span.strands[0]
    now_ms = phone.now_ms()
    for text in (GREETING, "Noted 017.", "Booked 017."):
        strand.leg.buffer(spoken(text), now_ms)
    await wait_until(lambda: phone.told(BOOKED) == ["017"], description="all was played")
    assert phone.noted() == ["017"]
    assert phone.greetings == 0  # its last mark may still be on the way
    assert phone.gaps_ms() == []


async def test_silence_of_the_service_is_told_with_the_callers_story(
    crowd: Crowd, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.is_mute = True
    monkeypatch.setattr("service.chaos.callers.crowd.GREETED_S_MAX", 0.2)
    with pytest.raises(Unspoken, match=r"1 of 1 callers hear nothing\n.*rang"):
        await crowd.gather(1)
