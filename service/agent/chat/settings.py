"""How the brain `chat` reaches its model. The key comes from the environment, and is never shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from service.errors import ConfigError

OPENAI_URL = "https://api.openai.com/v1"
MODEL = "gpt-5.4-mini"  # small, quick, and able to call functions
TIMEOUT_MS = 12_000  # to the next sentence, all attempts included; the session gives up after 20 s
PROMPT_BYTES_MAX = 32_768  # it is sent with every turn
NO_KEY = "none"  # what a local server that asks for no key is sent

Effort = Literal["", "none", "minimal", "low", "medium", "high"]


@dataclass(frozen=True)
class ChatSettings:
    """Which model, where, and what it is told.

    `prompt` replaces the built-in description of its task, not the manners of a phone. `timeout_ms` is
    how long a caller may wait for the next sentence. `effort` is sent as reasoning_effort, "" for not
    at all: models that think before they speak are slow on a phone.
    """

    model: str = MODEL
    base_url: str = OPENAI_URL
    api_key: str = field(default=NO_KEY, repr=False)
    prompt: str = ""
    timeout_ms: int = TIMEOUT_MS
    effort: Effort = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "ChatSettings":
        """Read OPENAI_API_KEY, OPENAI_BASE_URL, CHAT_MODEL, CHAT_PROMPT and CHAT_EFFORT.

        CHAT_PROMPT is the text itself, or @ and the path of a file. Raises ConfigError with one line.
        """
        key, base_url, model, effort = (
            environ.get(name, "").strip()
            for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "CHAT_MODEL", "CHAT_EFFORT")
        )
        if not key and not base_url:
            raise ConfigError("OPENAI_API_KEY: AGENT=chat needs it, or OPENAI_BASE_URL")
        if not (key.isascii() and key.isprintable()):
            raise ConfigError("OPENAI_API_KEY: it holds characters that no key has")
        if base_url and not model:
            raise ConfigError("CHAT_MODEL: needed with OPENAI_BASE_URL: the model's name there")
        if effort not in get_args(Effort):
            raise ConfigError(f"CHAT_EFFORT: expected one of {', '.join(get_args(Effort)[1:])}")
        return cls(
            model=model or MODEL,
            base_url=_address(base_url or OPENAI_URL),
            api_key=key or NO_KEY,
            prompt=_prompt(environ.get("CHAT_PROMPT", "").strip()),
            effort=effort,  # type: ignore[arg-type] # it is one of them
        )


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_sound = False
    if not is_sound or not text.isprintable() or " " in text:
        raise ConfigError("OPENAI_BASE_URL: expected http(s)://host[:port]/v1")
    return text.rstrip("/")


def _prompt(text: str) -> str:
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as trouble:
            raise ConfigError(f"CHAT_PROMPT: {text[1:]}: it can't be read: {trouble}") from None
    if len(text.encode(errors="replace")) > PROMPT_BYTES_MAX:
        raise ConfigError(f"CHAT_PROMPT: longer than {PROMPT_BYTES_MAX} bytes")
    return text
