import socket
from pathlib import Path

import pytest

from service.chaos.ground import Ground, own_credentials
from service.chaos.plan import Plan
from service.errors import ConfigError
from service.simulator.credentials import Credentials
from tests.chaos.deployment import Deployment
from tests.simulator.talker import ACCOUNT, TOKEN

pytestmark = pytest.mark.asyncio


async def test_a_deployment_is_called_through_the_proxy(
    deployment: Deployment, tmp_path: Path
) -> None:
    plan = Plan(server=deployment.url, calls=2, media_ms=20)
    async with Ground(plan, tmp_path, Credentials(ACCOUNT, TOKEN, "token")) as ground:
        phones = await ground.gather(2)
        links = [ground.proxy.link(one.span.strands[0].wire.name) for one in phones]
        assert all(link is not None and deployment.url.endswith(f":{link.port}") for link in links)
        await ground.leave()
        assert all(phone.is_over for phone in phones)
        ground.forget()
        assert ground.crowd.callers == []


async def test_what_can_not_be_opened_is_closed_again(tmp_path: Path) -> None:
    plan = Plan(agent="nobody")
    with pytest.raises(Exception, match="AGENT=nobody"):
        async with Ground(plan, tmp_path, own_credentials()):
            pass


async def test_a_port_that_is_taken_is_one_clear_error(
    deployment: Deployment, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        plan = Plan(server=deployment.url, calls=1, rest_port=port)
        with pytest.raises(ConfigError, match=f"REST port {port} can't be used"):
            async with Ground(plan, tmp_path, Credentials(ACCOUNT, TOKEN, "token")):
                pass


async def test_every_run_has_credentials_of_its_own() -> None:
    assert own_credentials() != own_credentials()
