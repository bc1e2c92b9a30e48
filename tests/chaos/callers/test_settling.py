import pytest

from service.chaos.callers import settling
from service.chaos.callers.crowd import Crowd
from tests.chaos.deployment import Deployment

pytestmark = pytest.mark.asyncio


async def test_who_is_back_answers_and_what_it_took_is_counted(crowd: Crowd) -> None:
    phones = await crowd.gather(2)
    for phone in phones:
        phone.span.drop()
    assert await settling.until_back(phones, within_s=5) or len(crowd.live) == 2
    assert await settling.all_answer(phones) == []
    assert len(settling.answers_ms(phones)) == 2
    assert len(settling.gaps_ms(phones)) == 2
    assert settling.resumes_a_second(phones) == 2
    assert settling.orders_a_second(phones) == 0


async def test_who_hears_nothing_is_named(crowd: Crowd, deployment: Deployment) -> None:
    (phone,) = await crowd.gather(1)
    deployment.is_mute = True
    (silent,) = await settling.all_answer([phone], within_s=0.2)
    assert silent.startswith(phone.call_sid)
