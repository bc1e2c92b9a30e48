import os
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from starlette.applications import Starlette

from service import app as module
from service.app import create_app
from service.call import events as e
from service.clock import Clock
from service.errors import ConfigError, EngineMissing, SpeechError, StoreUnavailable
from service.journal.journal import Journal
from service.journal.stores import connect
from service.journal.values import Missing
from service.speech.absent import AbsentSpeech
from tests.conftest import wait_until
from tests.session.parts import NotingCarrier, ScriptedAgent, ScriptedSpeech
from tests.web.front import CALL, Front, built, ring, served, settings, stream

ROOT = Path(__file__).parent.parent
WRONG = {
    "STORE_URL": ("nonsense", "mysql://x", "sqlite://", "sqlite:///"),
    "PORT": ("x", "0", "99999"),
    "PUBLIC_URL": ("ftp://x", "https://", "https://h/?x=1", "nonsense"),
    "CALL_TTL_S": ("1", "x"),
    "AGENT": ("nobody", "no.such:Thing", "service.errors:Nothing", "service.audio:SAMPLE_RATE_HZ"),
    "DIRECTORY": ("/no/such/file.json",),
    "API_TOKENS": ("x", "a:king"),
    "DROP_LIMIT": ("many",),
    "TRANSFER_TO": ("my colleague",),
    "LOG_LEVEL": ("LOUD",),
    "SEAL_KEYS": ("k",),
}


def small(**changes: object) -> Starlette:
    return built(NotingCarrier(), ScriptedAgent(), ScriptedSpeech(), **changes)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_setting_is_an_error_with_its_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for known in WRONG:
        monkeypatch.delenv(known, raising=False)
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, "_speech", ScriptedSpeech)
    with pytest.raises(ConfigError) as trouble:
        create_app()
    assert name in str(trouble.value)
    assert "\n" not in str(trouble.value)


@pytest.mark.parametrize(
    "store_url", ["nonsense", "sqlite:////proc/nowhere/calls.db", "redis://127.0.0.1:1/0"]
)
def test_a_store_that_is_wrong_or_away_is_one_line_and_code_2(
    tmp_path: Path, store_url: str
) -> None:
    environment = {**os.environ, "STORE_URL": store_url, "PORT": "18473", "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-m", "service", "serve"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=25, check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    assert ran.stderr.startswith("stayline: STORE_URL")
    assert ran.stderr.count("\n") == 1


@pytest.mark.asyncio
async def test_it_starts_serves_and_stops_and_leaves_nothing_running(tmp_path: Path) -> None:
    app = small(store_url=f"sqlite:///{tmp_path}/var/calls.db")
    async with app.router.lifespan_context(app):
        front = Front(app, NotingCarrier())
        assert (await front.web.get("/readyz")).json()["parts"]["store"]["durability"] == "local"
        await front.hook("/twiml/voice", ring())
        await front.web.aclose()
    again = small(store_url=f"sqlite:///{tmp_path}/var/calls.db")
    async with again.router.lifespan_context(again):
        kept = await again.state.parts.journal.open_calls()
        assert [headline.call_sid for headline in kept] == [CALL]


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
async def test_calls_past_their_time_are_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SWEEP_S", 0.02)
    url = f"sqlite:///{tmp_path}/calls.db"
    old = connect(url, ttl_ms=60_000)
    await old.start()
    opened = e.encode(e.CallOpened(call_sid=CALL))
    await old.open(CALL, (opened,), now_ms=Clock().now_ms() - 120_000)
    await old.close()
    app = small(store_url=url)
    async with app.router.lifespan_context(app):
        journal: Journal = app.state.parts.journal

        async def is_swept() -> bool:
            return await journal.open_calls() == ()

        await wait_until(is_swept, description="the old call is gone")


@pytest.mark.asyncio
async def test_a_sweep_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SWEEP_S", 0.005)
    app = small()
    parts = app.state.parts
    tries = 0

    async def fail(*, now_ms: int) -> int:
        nonlocal tries
        tries += 1
        raise StoreUnavailable(f"no disk at {now_ms}")

    monkeypatch.setattr(parts.journal, "sweep", fail)
    async with app.router.lifespan_context(app):
        await wait_until(lambda: tries > 2, description="it is tried again")
    assert b"stayline_store_errors_total" in parts.meter.text()


@pytest.mark.asyncio
@pytest.mark.parametrize("trouble", [SpeechError("too slow"), None])
async def test_engines_that_can_not_be_warmed_up_keep_nobody_from_calling(
    trouble: SpeechError | None,
) -> None:
    speech = ScriptedSpeech()
    speech.trouble = trouble
    app = built(NotingCarrier(), ScriptedAgent(), speech)
    async with app.router.lifespan_context(app):
        front = Front(app, NotingCarrier())
        assert (await front.web.get("/readyz")).status_code == 200
        await front.web.aclose()
    assert speech.is_closed


@pytest.mark.asyncio
async def test_without_engines_it_serves_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise EngineMissing("hibari-tts is not installed")

    monkeypatch.setattr(module, "synthesizer", missing)
    app = create_app(settings())
    assert isinstance(app.state.parts.speech, AbsentSpeech)
    async with app.router.lifespan_context(app):
        front = Front(app, NotingCarrier())
        assert (await front.web.get("/readyz")).json()["parts"]["speech"] == "absent"
        await front.web.aclose()


@pytest.mark.asyncio
async def test_a_store_that_can_not_be_opened_ends_the_start(tmp_path: Path) -> None:
    app = small(store_url=f"sqlite:///{tmp_path}")
    with pytest.raises(StoreUnavailable):
        async with app.router.lifespan_context(app):
            pytest.fail("it must not serve")


@pytest.mark.asyncio
async def test_a_shutdown_in_the_middle_of_a_call_is_written(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    app = small(store_url=url)
    async with app.router.lifespan_context(app):
        front = Front(app, NotingCarrier())
        async with AsyncExitStack() as wires:
            async with served(front) as host:
                one = await wires.enter_async_context(stream(host))
                await one.start(await front.token())
                await one.hear("media")
            assert (await one.closed())[0] == 1012
        await front.web.aclose()
    journal = connect(url, ttl_ms=60_000)
    await journal.start()
    reading = await journal.read(CALL)
    await journal.close()
    assert not isinstance(reading, Missing)
    gone = e.decode(reading.records[-1].body)
    assert isinstance(gone, e.StreamDetached)
    assert gone.reason == "shutdown"
