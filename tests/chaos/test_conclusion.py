from pathlib import Path

import pytest

from service.chaos.conclusion import backs_ms, conclude, has_died, late, settle, sounds_ms
from service.chaos.ground import Ground
from service.chaos.harms import Harms
from service.chaos.plan import Plan
from service.chaos.report import Report
from service.chaos.tally import Tally
from service.simulator.credentials import Credentials
from tests.chaos.deployment import Deployment
from tests.conftest import wait_until
from tests.simulator.talker import ACCOUNT, TOKEN

pytestmark = pytest.mark.asyncio


async def test_a_wave_is_judged_when_all_is_quiet(deployment: Deployment, tmp_path: Path) -> None:
    plan = Plan(server=deployment.url, calls=2, media_ms=20)
    async with Ground(plan, tmp_path, Credentials(ACCOUNT, TOKEN, "token")) as ground:
        phones, harms, tally = await ground.gather(2), Harms(ground), Tally()
        harms.drop(phones)
        phone = harms.dropped[0].phone
        await wait_until(lambda: len(phone.span.strands) == 2, description="it comes back")
        await harms.end()
        silent = await settle(ground, harms)
        assert silent == []
        await conclude(ground, harms, silent, tally)
        report = Report("chaos")
        tally.into(report)
        assert report.broken == [], report.text()
        assert len(backs_ms(harms.dropped)) == 1
        assert len(sounds_ms(harms.dropped)) <= 1
        assert late(harms.dropped) == []


async def test_audio_for_a_stream_that_was_replaced_is_found(
    deployment: Deployment, tmp_path: Path
) -> None:
    plan = Plan(server=deployment.url, calls=1, media_ms=20)
    async with Ground(plan, tmp_path, Credentials(ACCOUNT, TOKEN, "token")) as ground:
        phones, harms = await ground.gather(1), Harms(ground)
        harms.drop(phones)
        await wait_until(lambda: len(phones[0].span.strands) == 2, description="it comes back")
        (dropped,) = harms.dropped
        assert not has_died(dropped, harms)
        for at_us, died in ((dropped.at_us - 1, False), (dropped.at_us + 1, True), (2**60, False)):
            harms.killed[:] = [(dropped.link.port, at_us)]
            assert has_died(dropped, harms) is died
        dropped.link.media_after.append(ground.clock.now_ms() + 5_000)
        assert len(late([dropped])) == 1
        await harms.end()
