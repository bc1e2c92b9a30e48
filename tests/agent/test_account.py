from pathlib import Path

import pytest

from service.agent.account import NO_KEY, OPENAI_URL, PROMPT_BYTES_MAX, account, task
from service.errors import ConfigError


def test_a_key_is_enough_and_so_is_a_server_of_ones_own() -> None:
    assert account("chat", {"OPENAI_API_KEY": " k "}) == (OPENAI_URL, "k")
    local = {"OPENAI_BASE_URL": "http://127.0.0.1:8080/v1/"}
    assert account("chat", local) == ("http://127.0.0.1:8080/v1", NO_KEY)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "OPENAI_API_KEY: AGENT=realtime"),
        ({"OPENAI_API_KEY": "ké"}, "OPENAI_API_KEY"),
        ({"OPENAI_BASE_URL": "localhost:8080"}, "OPENAI_BASE_URL"),
        ({"OPENAI_BASE_URL": "http://[1"}, "OPENAI_BASE_URL"),
        ({"OPENAI_BASE_URL": "http://a b"}, "OPENAI_BASE_URL"),
    ],
)
def test_a_wrong_setting_is_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        account("realtime", given)


def test_a_task_is_a_text_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "task.txt"
    file.write_text("Sell nothing.\n")
    assert task("CHAT_PROMPT", {"CHAT_PROMPT": f"@{file}"}) == "Sell nothing."
    assert task("CHAT_PROMPT", {}) == ""
    with pytest.raises(ConfigError, match=r"CHAT_PROMPT: .*can't be read"):
        task("CHAT_PROMPT", {"CHAT_PROMPT": f"@{tmp_path}"})
    with pytest.raises(ConfigError, match="longer than"):
        task("CHAT_PROMPT", {"CHAT_PROMPT": "x" * (PROMPT_BYTES_MAX + 1)})
