"""The keys that journals are sealed with, as SEAL_KEYS names them. Pure.

    SEAL_KEYS=k2:BASE64,k1:BASE64,acme/a1:BASE64        each 32 random bytes, newest first

What stands before the colon is the key's name, `kid`; it is kept in clear beside what the key wraps.
`tenant/kid` is a key of that tenant alone; a tenant without one is served by those that name none.
"""

import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from re import compile as pattern

KEY_BYTES = 32  # AES-256
DISTINCT_BYTES_MIN = 16  # of 32 random bytes fewer than 16 are distinct once in 10**14 keys
KEYS_MAX = 256  # a name recalled may ask for each of the few that name no tenant

_NAME = pattern(r"(?:([A-Za-z0-9_.-]{1,64})/)?([A-Za-z0-9_.-]{1,32})")


@dataclass(frozen=True)
class SealKey:
    """One master key. It wraps the keys of calls, and seals nothing else that is kept long."""

    kid: str  # with its tenant before it, as in the setting
    tenant: str  # "" for every tenant that has none of its own
    secret: bytes = field(repr=False)


def parsed(texts: Sequence[str]) -> tuple[SealKey, ...]:
    """Read the setting. Raises ValueError with one sentence that never repeats a secret."""
    keys = tuple(_key(text, number) for number, text in enumerate(texts, 1))
    if len(keys) > KEYS_MAX:
        raise ValueError(f"at most {KEYS_MAX} keys are taken")
    if len({key.kid for key in keys}) < len(keys):
        raise ValueError("two keys bear the same name")
    if len({key.secret for key in keys}) < len(keys):
        raise ValueError("one key stands there under two names")
    if keys and all(key.tenant for key in keys):
        raise ValueError("one key at least must be for tenants that have none of their own")
    return keys


def fresh() -> str:
    """Return a new key as SEAL_KEYS wants it, under a name that is hardly in use."""
    return f"k{secrets.token_hex(4)}:{b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def _key(text: str, number: int) -> SealKey:
    name, colon, secret = text.partition(":")
    found = _NAME.fullmatch(name) if colon else None
    if found is None:
        raise ValueError(f"key {number} is not kid:base64 or tenant/kid:base64")
    try:
        known = b64decode(secret.translate({ord("-"): "+", ord("_"): "/"}), validate=True)
    except ValueError:
        known = b""
    if len(known) != KEY_BYTES:
        raise ValueError(f"key {number} is not {KEY_BYTES} bytes in base64")
    if len(set(known)) < DISTINCT_BYTES_MIN:
        raise ValueError(f"key {number} is not random; `stayline key` prints one that is")
    return SealKey(name, found[1] or "", known)
