from pathlib import Path

import pytest

from service.agent.account import NO_KEY, OPENAI_URL, PROMPT_BYTES_MAX
from service.agent.chat.settings import MODEL, ChatSettings
from service.errors import ConfigError

LOCAL = {"OPENAI_BASE_URL": "http://127.0.0.1:8080/v1/", "CHAT_MODEL": "qwen"}


def test_a_key_alone_is_enough() -> None:
    settings = ChatSettings.from_environment({"OPENAI_API_KEY": " sk-secret "})
    assert settings == ChatSettings(api_key="sk-secret")
    assert (settings.model, settings.base_url, settings.effort) == (MODEL, OPENAI_URL, "")


def test_a_local_server_needs_no_key() -> None:
    settings = ChatSettings.from_environment(LOCAL)
    assert settings.base_url == "http://127.0.0.1:8080/v1"
    assert (settings.model, settings.api_key) == ("qwen", NO_KEY)


def test_the_key_is_never_shown() -> None:
    settings = ChatSettings.from_environment({"OPENAI_API_KEY": "sk-secret"})
    assert "secret" not in f"{settings!r} {settings}"


def test_the_prompt_is_a_text_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "prompt.txt").write_text(" Be kind.\n", encoding="utf-8")
    for text in ("Be kind.", f"@{tmp_path}/prompt.txt"):
        settings = ChatSettings.from_environment(LOCAL | {"CHAT_PROMPT": text})
        assert settings.prompt == "Be kind."


def test_how_long_a_model_thinks_can_be_set() -> None:
    assert ChatSettings.from_environment(LOCAL | {"CHAT_EFFORT": "none"}).effort == "none"


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, "OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": " ", "OPENAI_BASE_URL": ""}, "OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": "sk-\u00e9"}, "OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": "sk-a\nb"}, "OPENAI_API_KEY"),
        ({"OPENAI_BASE_URL": "http://127.0.0.1/v1"}, "CHAT_MODEL"),
        (LOCAL | {"OPENAI_BASE_URL": "127.0.0.1:80"}, "OPENAI_BASE_URL"),
        (LOCAL | {"OPENAI_BASE_URL": "ftp://here"}, "OPENAI_BASE_URL"),
        (LOCAL | {"OPENAI_BASE_URL": "http://"}, "OPENAI_BASE_URL"),
        (LOCAL | {"OPENAI_BASE_URL": "http://a b/v1"}, "OPENAI_BASE_URL"),
        (LOCAL | {"OPENAI_BASE_URL": "http://a:99999/v1"}, "OPENAI_BASE_URL"),
        (LOCAL | {"OPENAI_BASE_URL": "http://[::1/v1"}, "OPENAI_BASE_URL"),
        (LOCAL | {"CHAT_EFFORT": "much"}, "CHAT_EFFORT"),
        (LOCAL | {"CHAT_PROMPT": "@/nowhere/at/all"}, "CHAT_PROMPT"),
        (LOCAL | {"CHAT_PROMPT": "@/"}, "CHAT_PROMPT"),
        (LOCAL | {"CHAT_PROMPT": "x" * (PROMPT_BYTES_MAX + 1)}, "CHAT_PROMPT"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(environ: dict[str, str], name: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        ChatSettings.from_environment(environ)
    assert str(wrong.value).startswith(f"{name}: ")
    assert "\n" not in str(wrong.value)
    assert "sk-" not in str(wrong.value)
