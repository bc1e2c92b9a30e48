from pathlib import Path

import pytest

from service.chaos.servers.server import NotServed, Server, free_port

pytestmark = pytest.mark.asyncio


def server(tmp_path: Path, **settings: str) -> Server:
    environment = {"HOST": "127.0.0.1", "PORT": str(free_port()), **settings}
    return Server(tmp_path / "server.log", environment)


@pytest.mark.timeout(90)
async def test_a_server_is_started_asked_stopped_and_killed(tmp_path: Path) -> None:
    one = server(tmp_path, STORE_URL=f"sqlite:///{tmp_path / 'db'}", WRITE_BEHIND=str(tmp_path))
    await one.start()
    assert await one.ask("/healthz") == 200
    assert await one.has_store()
    assert one.pid
    assert await one.stop() > 0
    assert await one.ask("/healthz") == 0
    assert not await one.has_store()
    await one.start()
    await one.kill()
    assert await one.ask("/healthz") == 0


async def test_what_a_server_wrote_is_told_when_it_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(NotServed, match="AGENT=nobody"):
        await server(tmp_path, AGENT="nobody", STORE_URL=f"sqlite:///{tmp_path / 'db'}").start()
