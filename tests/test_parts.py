import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from service import parts as module
from service.app import create_app
from service.call.acts import Act, Say
from service.call.state import Call, Turn
from service.errors import ConfigError, EngineMissing
from service.speech.engines.absent import AbsentSpeech
from tests.session.parts import NotingCarrier, ScriptedSpeech
from tests.web.front import Front, settings

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
    "TENANTS": ("/no/such/file.json",),
    "OUTBOUND_HOSTS": ("https://a.example",),
    "OUTBOUND_NETWORKS": ("10.0.0.1/8",),
    "COLLECT_URL": ("http://pay.example.com", "nonsense"),
}


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


class Own:
    """An agent of a tenant's own."""

    async def reply(self, _call: Call, _turn: Turn) -> AsyncIterator[Act]:
        yield Say("own")


class Speaks:
    """An agent that hears and speaks itself."""

    functions: Any = None

    async def reply(self, _call: Call, _turn: Turn) -> AsyncIterator[Act]:
        yield Say("never")

    async def open(self, *_given: object) -> None:
        raise AssertionError("nobody rings")


def tenants(folder: Path, agent: str) -> str:
    path = folder / "tenants.json"
    path.write_text(json.dumps({"acme": {"numbers": ["+15550002"], "agent": agent}}))
    return str(path)


@pytest.mark.asyncio
async def test_a_tenant_is_answered_by_the_agent_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "_speech", ScriptedSpeech)
    app = create_app(settings(tenants=tenants(tmp_path, f"{__name__}:Own"), agent="intake"))
    turn = Turn(1, "opening")
    said = [act async for act in app.state.parts.means.agent.reply(Call(tenant="acme"), turn)]
    assert said == [Say("own")]
    others = [act async for act in app.state.parts.means.agent.reply(Call(), turn)]
    assert others not in ([], said)


def test_an_agent_that_speaks_for_itself_is_the_agent_of_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "_speech", ScriptedSpeech)
    with pytest.raises(ConfigError, match="TENANTS"):
        create_app(settings(tenants=tenants(tmp_path, f"{__name__}:Speaks"), agent="intake"))
    same = settings(tenants=tenants(tmp_path, "intake"), agent="intake")
    assert type(create_app(same).state.parts.means.agent).__name__ == "Intake"


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
