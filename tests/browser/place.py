"""The service as a browser meets it: the real application on a real port, quick speech, signed-in people."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from starlette.applications import Starlette
from typing_extensions import override

from service.app import create_app
from service.config import Config
from service.guest import lifespan_with
from service.parts import Own
from service.simulator.account import Account
from service.speech.pool import SpeechPool
from service.testing.house import House
from service.testing.quick_ear import quick_ear
from service.testing.textspeech import TextRecognizer, TextSynthesizer
from service.trust.api_token import ApiToken

ACCOUNT = Account("AC00000000000000000000000000000001", "12345")
TOKENS = (
    ApiToken.model_construct(token="token-of-a-viewer", role="viewer", tenant="default"),
    ApiToken.model_construct(token="token-of-an-agent", role="agent", tenant="default"),
    ApiToken.model_construct(token="token-of-an-admin", role="admin", tenant="default"),
    ApiToken.model_construct(token="token-of-others", role="admin", tenant="others"),
)
VIEWER, AGENT, ADMIN, OTHERS = (token.token for token in TOKENS)


class Settings(Config):
    """Settings of a test: neither the environment nor a file `.env` has a say."""

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def quick() -> Own:
    """Return speech without engines: words as tones, understood at once when they come unchanged."""
    return Own(speech=SpeechPool(TextSynthesizer(), TextRecognizer()), endpointer=quick_ear)


def house(
    folder: Path, settings: dict[str, Any], own: Own | None = None, *, prefix: str = ""
) -> House:
    """Return a house that is not open yet. Its journal lies in `folder` and outlives its servers.

    With a prefix the service is mounted there, in an application of somebody's.
    """

    def make(url: str) -> Starlette:
        chosen: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": int(url.rpartition(":")[2]),
            "public_url": url + quote(prefix),
            "twilio_account_sid": ACCOUNT.account_sid,
            "twilio_auth_token": (ACCOUNT.auth_token,),
            "twilio_api_url": "http://127.0.0.1:9",
            "api_tokens": TOKENS,
            "store_url": f"sqlite:////{(folder / 'stayline.db').as_posix().lstrip('/')}",
            "write_behind": str(folder / "behind"),
            **settings,
        }
        app = create_app(Settings(**chosen), own=own or quick())
        return mounted(app, prefix) if prefix else app

    return House(make)


def mounted(app: Starlette, prefix: str) -> Starlette:
    """Return an application of somebody's with ours under a prefix, and nothing else."""
    around = FastAPI(lifespan=lifespan_with(app))
    around.mount(prefix, app)
    around.state.parts = app.state.parts
    return around
