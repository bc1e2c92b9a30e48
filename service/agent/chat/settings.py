"""How the brain `chat` reaches its model. The key comes from the environment, and is never shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from service.agent.account import NO_KEY, OPENAI_URL, account, reachable, task
from service.errors import ConfigError
from service.outbound.rules import ANYWHERE, Rules

MODEL = "gpt-5.4-mini"  # small, quick, and able to call functions
TIMEOUT_MS = 12_000  # to the next sentence, all attempts included; the session gives up after 20 s

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
    outbound: Rules = ANYWHERE

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "ChatSettings":
        """Read OPENAI_API_KEY, OPENAI_BASE_URL, CHAT_MODEL, CHAT_PROMPT and CHAT_EFFORT.

        CHAT_PROMPT is the text itself, or @ and the path of a file. Raises ConfigError with one line.
        """
        base_url, key = account("chat", environ)
        model, effort = (environ.get(name, "").strip() for name in ("CHAT_MODEL", "CHAT_EFFORT"))
        if base_url != OPENAI_URL and not model:
            raise ConfigError("CHAT_MODEL: needed with OPENAI_BASE_URL: the model's name there")
        if effort not in get_args(Effort):
            raise ConfigError(f"CHAT_EFFORT: expected one of {', '.join(get_args(Effort)[1:])}")
        return cls(
            model=model or MODEL,
            base_url=base_url,
            api_key=key,
            prompt=task("CHAT_PROMPT", environ),
            outbound=reachable(environ),
            effort=effort,  # type: ignore[arg-type] # it is one of them
        )
