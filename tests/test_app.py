import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from starlette.applications import Starlette

from tests.conftest import wait_until
from tests.session.parts import NotingCarrier, ScriptedAgent, ScriptedSpeech
from tests.web.front import built

ROOT = Path(__file__).parent.parent


def small(**changes: object) -> Starlette:
    return built(NotingCarrier(), ScriptedAgent(), ScriptedSpeech(), **changes)


@pytest.mark.parametrize(
    "store_url", ["nonsense", "sqlite:////proc/nowhere/calls.db", "redis://127.0.0.1:x/0"]
)
def test_a_store_that_is_wrong_is_one_line_and_code_2(tmp_path: Path, store_url: str) -> None:
    environment = {**os.environ, "STORE_URL": store_url, "PORT": "18473", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-m", "service", "serve"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=25, check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    assert ran.stderr.startswith("stayline: STORE_URL")
    assert ran.stderr.count("\n") == 1


@pytest.mark.asyncio
async def test_every_route_of_the_contract_is_there() -> None:
    paths = {getattr(route, "path", "") for route in small().routes}
    one = "/api/calls/{call_sid}"
    assert paths >= {
        "/twiml/voice", "/twiml/resume", "/twiml/fallback", "/callbacks/call",
        "/callbacks/stream", "/media", "/healthz", "/readyz", "/metrics", "/api/calls", one,
        f"{one}/events", f"{one}/digits", f"{one}/say", f"{one}/transfer", f"{one}/hangup",
        f"{one}/notes",
    }  # fmt: skip


@pytest.mark.asyncio
async def test_its_loop_is_watched_for_as_long_as_it_serves() -> None:
    """O-7."""
    app = small()
    async with app.router.lifespan_context(app):
        await wait_until(is_watched, description="the watchdog sits there")
    await wait_until(lambda: not is_watched(), description="the watchdog is gone")


def is_watched() -> bool:
    return any(one.name == "stayline-watchdog" for one in threading.enumerate())
