"""How the brain `realtime` reaches its model. The key comes from the environment, and is never shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.agent.account import NO_KEY, OPENAI_URL, account, reachable, task
from service.outbound.rules import ANYWHERE, Rules

MODEL = "gpt-realtime-2.1"
VOICE = "marin"  # one of the two that OpenAI recommends
TRANSCRIBER = "gpt-transcribe"  # writes down what the caller said, beside the model


@dataclass(frozen=True)
class RealtimeSettings:
    """Which model, where, in which voice, and what it is told. `prompt` replaces the built-in task."""

    model: str = MODEL
    voice: str = VOICE
    transcriber: str = TRANSCRIBER
    base_url: str = OPENAI_URL
    api_key: str = field(default=NO_KEY, repr=False)
    prompt: str = field(default="", repr=False)
    outbound: Rules = ANYWHERE

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "RealtimeSettings":
        """Read OPENAI_API_KEY, OPENAI_BASE_URL, REALTIME_MODEL, _VOICE, _TRANSCRIBER and _PROMPT.

        REALTIME_PROMPT is the text itself, or @ and the path of a file. Raises ConfigError with one line.
        """
        base_url, key = account("realtime", environ)
        return cls(
            model=environ.get("REALTIME_MODEL", "").strip() or MODEL,
            voice=environ.get("REALTIME_VOICE", "").strip() or VOICE,
            transcriber=environ.get("REALTIME_TRANSCRIBER", "").strip() or TRANSCRIBER,
            base_url=base_url,
            api_key=key,
            prompt=task("REALTIME_PROMPT", environ),
            outbound=reachable(environ),
        )
