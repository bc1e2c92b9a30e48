"""How the brain `realtime` reaches its model. The key comes from the environment, and is never shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from service.errors import ConfigError

OPENAI_URL = "https://api.openai.com/v1"
MODEL = "gpt-realtime-2.1"
VOICE = "marin"  # one of the two that OpenAI recommends
TRANSCRIBER = "gpt-transcribe"  # writes down what the caller said, beside the model
PROMPT_BYTES_MAX = 32_768  # it is sent with every session
NO_KEY = "none"  # what a local server that asks for no key is sent


@dataclass(frozen=True)
class RealtimeSettings:
    """Which model, where, in which voice, and what it is told. `prompt` replaces the built-in task."""

    model: str = MODEL
    voice: str = VOICE
    transcriber: str = TRANSCRIBER
    base_url: str = OPENAI_URL
    api_key: str = field(default=NO_KEY, repr=False)
    prompt: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "RealtimeSettings":
        """Read OPENAI_API_KEY, OPENAI_BASE_URL, REALTIME_MODEL, _VOICE, _TRANSCRIBER and _PROMPT.

        REALTIME_PROMPT is the text itself, or @ and the path of a file. Raises ConfigError with one line.
        """
        key, base_url = (
            environ.get(name, "").strip() for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL")
        )
        if not key and not base_url:
            raise ConfigError("OPENAI_API_KEY: AGENT=realtime needs it, or OPENAI_BASE_URL")
        if not (key.isascii() and key.isprintable()):
            raise ConfigError("OPENAI_API_KEY: it holds characters that no key has")
        return cls(
            model=environ.get("REALTIME_MODEL", "").strip() or MODEL,
            voice=environ.get("REALTIME_VOICE", "").strip() or VOICE,
            transcriber=environ.get("REALTIME_TRANSCRIBER", "").strip() or TRANSCRIBER,
            base_url=_address(base_url or OPENAI_URL),
            api_key=key or NO_KEY,
            prompt=_prompt(environ.get("REALTIME_PROMPT", "").strip()),
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
            raise ConfigError(f"REALTIME_PROMPT: {text[1:]}: it can't be read: {trouble}") from None
    if len(text.encode(errors="replace")) > PROMPT_BYTES_MAX:
        raise ConfigError(f"REALTIME_PROMPT: longer than {PROMPT_BYTES_MAX} bytes")
    return text
