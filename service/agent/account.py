"""How a server of OpenAI's shape is reached, and what its model is told: read from the environment.

The key is never shown: not in a repr, not in a log, not in an error.
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from service.errors import ConfigError
from service.outbound.rules import Rules, parsed

OPENAI_URL = "https://api.openai.com/v1"
PROMPT_BYTES_MAX = 32_768  # it is sent with every turn, or every session
NO_KEY = "none"  # what a local server that asks for no key is sent


def account(agent: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return OPENAI_BASE_URL and OPENAI_API_KEY, with what stands for a missing one.

    `agent` is the setting's value that needs them. Raises ConfigError with one line.
    """
    key, base_url = (
        environ.get(name, "").strip() for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL")
    )
    if not key and not base_url:
        raise ConfigError(f"OPENAI_API_KEY: AGENT={agent} needs it, or OPENAI_BASE_URL")
    if not (key.isascii() and key.isprintable()):
        raise ConfigError("OPENAI_API_KEY: it holds characters that no key has")
    return _address(base_url or OPENAI_URL), key or NO_KEY


def reachable(environ: Mapping[str, str]) -> Rules:
    """Return where requests may go, by OUTBOUND_HOSTS and OUTBOUND_NETWORKS. Raises ConfigError."""
    hosts, networks = (
        tuple(filter(None, map(str.strip, environ.get(name, "").split(","))))
        for name in ("OUTBOUND_HOSTS", "OUTBOUND_NETWORKS")
    )
    try:
        return parsed(hosts, networks)
    except ValueError as trouble:
        raise ConfigError(f"OUTBOUND_HOSTS, OUTBOUND_NETWORKS: {trouble}") from None


def task(name: str, environ: Mapping[str, str]) -> str:
    """Return the text of the setting `name`, or of the file that it names after an @.

    Raises ConfigError with one line when it can't be read or is too long.
    """
    text = environ.get(name, "").strip()
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as trouble:
            raise ConfigError(f"{name}: {text[1:]}: it can't be read: {trouble}") from None
    if len(text.encode(errors="replace")) > PROMPT_BYTES_MAX:
        raise ConfigError(f"{name}: longer than {PROMPT_BYTES_MAX} bytes")
    return text


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        is_sound = is_sound and "@" not in parts.netloc
    except ValueError:
        is_sound = False
    if not is_sound or not text.isprintable() or " " in text:
        raise ConfigError("OPENAI_BASE_URL: expected http(s)://host[:port]/v1")
    return text.rstrip("/")
