import sys
from pathlib import Path

import pytest

from service.agent.agent import ENTRY_POINTS, agent
from service.agent.chat.chat import Chat
from service.agent.duplex import SpeechAgent
from service.agent.intake.intake import Intake
from service.agent.realtime.realtime import Realtime
from service.call.acts import Say
from service.call.state import Call, Turn
from service.errors import ConfigError
from service.tools.toolbox import Toolbox


def test_intake_is_built_in() -> None:
    assert isinstance(agent("intake", Toolbox.none()), Intake)


@pytest.mark.asyncio
@pytest.mark.parametrize(("name", "kind"), [("chat", Chat), ("realtime", SpeechAgent)])
async def test_the_models_are_built_in_and_need_a_key(
    name: str, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        agent(name, Toolbox.none())
    monkeypatch.setenv("OPENAI_API_KEY", "a key for tests")
    made = agent(name, Toolbox.none())
    assert isinstance(made, kind)
    assert isinstance(made, Chat | Realtime)
    await made.close()


def test_a_model_whose_packages_are_absent_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "service.agent.realtime.realtime", None)
    with pytest.raises(ConfigError, match=r"\[brains\]"):
        agent("realtime", Toolbox.none())


@pytest.mark.asyncio
async def test_a_class_of_a_module_is_an_agent() -> None:
    echo = agent("tests.agent.brains:Echo", Toolbox.none())
    assert not isinstance(echo, SpeechAgent)
    acts = [act async for act in echo.reply(Call(call_sid="CA1"), Turn(1, "speech", "hi"))]
    assert acts == [Say("CA1: hi")]


def test_a_class_of_a_module_may_hear_and_speak_by_itself() -> None:
    assert isinstance(agent("tests.bench._echoing:Echo", Toolbox.none()), SpeechAgent)


@pytest.mark.parametrize(
    "name",
    [
        "nobody",
        "",
        ":",
        ":Echo",
        "tests.agent.brains:",
        "tests.agent.brains:Nobody",
        "tests.agent.nowhere:Echo",
        ".brains:Echo",
        "tests.agent.brains:Demanding",
        "tests.agent.brains:Failing",
        "tests.agent.brains:Mute",
        "tests.agent.brains:ENTRY",
        "json:__doc__",
    ],
)
def test_a_name_that_gives_no_agent_is_one_clear_line(name: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        agent(name, Toolbox.none())
    assert str(wrong.value).startswith(f"AGENT={name}: ")
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize(("target", "is_good"), [("Echo", True), ("Failing", False)])
def test_an_installed_package_brings_agents_by_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, *, is_good: bool
) -> None:
    package = tmp_path / "echoes-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: echoes\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text(
        f"[{ENTRY_POINTS}]\nechoes = tests.agent.brains:{target}\n"
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    if is_good:
        assert type(agent("echoes", Toolbox.none())).__name__ == "Echo"
    else:
        with pytest.raises(ConfigError, match="AGENT=echoes: OSError: no key"):
            agent("echoes", Toolbox.none())
