from pathlib import Path

import pytest

from service import parts as module
from service.app import create_app
from service.errors import ConfigError, EngineMissing
from service.speech.absent import AbsentSpeech
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
