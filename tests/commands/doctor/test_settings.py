"""The settings, and our own door."""

import pytest
from starlette.applications import Starlette

from service.commands.doctor import settings
from service.commands.doctor.finding import Finding, State
from service.config import load
from tests.commands.clinic import production, quick

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("alone")]


async def looked() -> dict[str, Finding]:
    config = load()
    return {one.name: one for one in await settings.look(config, quick(config))}


async def test_complete_settings_are_well_and_our_door_takes_our_signature(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    production(monkeypatch, PUBLIC_URL="https://calls.example.com/line")
    found = await looked()
    assert found["settings"].state is State.WELL
    assert found["signature"].state is State.WELL


async def test_a_developer_is_told_what_a_real_number_needs() -> None:
    found = await looked()
    assert found["settings"].state is State.CARE
    assert "TWILIO_AUTH_TOKEN" in found["settings"].advice
    assert found["signature"].state is State.WELL


@pytest.mark.parametrize(
    ("name", "state"), [("TWILIO_ACCOUNT_SID", State.WRONG), ("API_TOKENS", State.CARE)]
)
async def test_what_is_missing_is_named(
    name: str, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    production(monkeypatch, **{name: ""})
    found = (await looked())["settings"]
    assert found.state is state
    assert name in found.text


async def test_engines_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing:
        notes = ("No speech synthesiser is installed.",)

    monkeypatch.setattr(settings, "engines", Missing)
    found = (await looked())["speech"]
    assert (found.state, found.advice) == (State.CARE, settings.INSTALL)


async def test_a_door_that_takes_nothing_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    production(monkeypatch)
    found = await settings.look(load(), Starlette())
    assert found[-1].state is State.WRONG
    assert "404" in found[-1].text
