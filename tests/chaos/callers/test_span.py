import pytest

from service.chaos.callers.crowd import Crowd
from service.simulator.streams.handshake import BAD_HANDSHAKE
from service.simulator.timeline import Kind
from tests.chaos.deployment import Deployment
from tests.conftest import wait_until

pytestmark = pytest.mark.asyncio


async def test_a_dropped_stream_is_followed_by_the_next_one(
    crowd: Crowd, deployment: Deployment
) -> None:
    (phone,) = await crowd.gather(1)
    phone.span.drop()
    await wait_until(lambda: len(phone.span.strands) == 2, description="it comes back")
    first, second = phone.span.strands
    assert first.ended_us
    assert second.started_us > first.ended_us
    assert deployment.at("/twiml/resume")
    await phone.hang_up()
    assert phone.is_over


async def test_a_refused_stream_is_told_as_an_error(crowd: Crowd, deployment: Deployment) -> None:
    deployment.refuses = 1
    (phone,) = await crowd.gather(1)
    assert phone.span.refusals == [BAD_HANDSHAKE]
    assert phone.timeline.of(Kind.STREAM_FAILED)[0].value == BAD_HANDSHAKE


async def test_keys_and_silence_reach_the_service(crowd: Crowd, deployment: Deployment) -> None:
    (phone,) = await crowd.gather(1)
    assert phone.span.press("12")
    await wait_until(
        lambda: len(deployment.streams[0].of("dtmf")) == 2, description="both keys came"
    )
    await wait_until(lambda: bool(deployment.streams[0].frames), description="silence came")
    await phone.hang_up()
    assert not phone.span.press("1")


async def test_a_frozen_stream_sends_nothing_and_ends_with_its_call(crowd: Crowd) -> None:
    (phone,) = await crowd.gather(1)
    phone.span.freeze(is_mute=True)
    assert phone.span.is_mute
    await phone.hang_up()
