"""The harms by themselves; what they do to a whole run is in test_run.py and in tests/acceptance."""

from pathlib import Path

import pytest

from service.chaos import harms as all_harms
from service.chaos.ground import Ground
from service.chaos.harms import Harms
from service.chaos.plan import DROPS, Plan
from service.chaos.servers.server import NotServed
from service.simulator.credentials import Credentials
from tests.chaos.deployment import Deployment
from tests.conftest import wait_until
from tests.simulator.talker import ACCOUNT, TOKEN

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("kind", DROPS)
async def test_every_kind_of_drop_brings_a_new_stream(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(all_harms, "DARK_S", 0.2)
    monkeypatch.setattr(all_harms, "HOLD_MS", (50, 100))
    monkeypatch.setattr(Plan, "drop", lambda _self, _chance: kind)
    plan = Plan(server=deployment.url, calls=1, media_ms=20)
    async with Ground(plan, tmp_path, Credentials(ACCOUNT, TOKEN, "token")) as ground:
        harms = Harms(ground)
        (phone,) = await ground.gather(1)
        assert harms.candidates(0) == [phone]
        harms.drop([phone])
        assert harms.candidates(0) == []
        await wait_until(lambda: len(phone.span.strands) == 2, description="it comes back")
        assert harms.candidates(1_000_000_000) == []
        assert (harms.kinds[kind], harms.dropped[0].strand) == (1, 1)
        harms.stall([phone])
        await harms.end()
        assert harms.kinds["stall"] == 1


async def test_a_harm_that_is_over_does_not_end_another_that_came_meanwhile(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_harms, "KNOWN_S", 0)
    plan = Plan(server=deployment.url, calls=1, media_ms=20)
    async with Ground(plan, tmp_path, Credentials(ACCOUNT, TOKEN, "token")) as ground:
        harms = Harms(ground)
        (phone,) = await ground.gather(1)
        strand = phone.span.strands[0]
        monkeypatch.setattr(all_harms, "PAUSE_MS", (500, 501))
        harms.stall([phone])
        await wait_until(lambda: len(strand.harms_us) == 1, description="it stands still")
        (first,) = strand.harms_us
        monkeypatch.setattr(all_harms, "PAUSE_MS", (1_000, 1_001))
        harms.stall([phone])
        await wait_until(lambda: len(strand.harms_us) == 2, description="it stands still twice")
        await wait_until(lambda: len(strand.harms_us) == 1, description="one pause is over")
        assert strand.harmed_us > first
        await harms.end()
        assert (strand.harms_us, strand.harmed_us) == ([], 0)


async def test_what_goes_wrong_beside_is_told_in_the_end(
    deployment: Deployment, tmp_path: Path
) -> None:
    plan = Plan(server=deployment.url, calls=1, media_ms=20)
    async with Ground(plan, tmp_path, Credentials(ACCOUNT, TOKEN, "token")) as ground:
        harms = Harms(ground)

        async def fails() -> None:
            raise NotServed("it does not start")

        harms._spawn(fails())
        with pytest.raises(NotServed):
            await harms.end()
