"""Secrets: which are too weak to be one, and those that a development server makes for itself."""

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

import msgspec

from service.errors import ConfigError

DEVELOPMENT_ACCOUNT_SID = "AC" + "0" * 32
LETTERS_MIN = 16  # of letters and digits at random that is 95 bits; Twilio's own have 32
KINDS_MIN = 6  # 16 hexadecimal digits at random have fewer once in two million

# What stands in examples, our own included, and is copied from there.
PLACEHOLDERS = (
    "changeme", "change-me", "change_me", "placeholder", "your_auth_token", "your-auth-token",
    "yourauthtoken", "some-long-secret", "password", "0123456789abcdef", "1234567890",
)  # fmt: skip


def weakness(secret: str) -> str:
    """Return one sentence on why a secret can be guessed, "" if it seems that it can't. It quotes nothing."""
    if len(secret) < LETTERS_MIN:
        return f"a secret has at least {LETTERS_MIN} characters"
    if len(set(secret)) < KINDS_MIN:
        return f"a secret has at least {KINDS_MIN} different characters"
    if any(word in secret.lower() for word in PLACEHOLDERS):
        return "this secret stands in an example; make one of your own"
    return ""


def check(named: Iterable[tuple[str, str]]) -> None:
    """Take secrets by the setting that names each. Raises ConfigError for the first that is no good."""
    seen: dict[str, str] = {}
    for name, secret in named:
        if why := weakness(secret):
            raise ConfigError(f"{name}: {why}")
        if (other := seen.setdefault(secret, name)) != name:
            raise ConfigError(f"{name}: the same secret as in {other}; each needs its own")


def development_credentials(path: Path) -> dict[str, str]:
    """Return the development credentials, made on first use and kept for the next start."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        kept = {}
    if {"account_sid", "auth_token", "api_token"} <= kept.keys():
        return kept
    made = {
        "account_sid": DEVELOPMENT_ACCOUNT_SID,
        "auth_token": secrets.token_hex(16),
        "api_token": secrets.token_urlsafe(16),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(made), encoding="utf-8")
    draft.replace(path)
    return made
