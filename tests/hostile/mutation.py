"""Good input made bad by chance: values swapped, fields lost, bytes flipped. One Random, one result."""

import json
import random
from typing import Any

ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, 2**64, -(2**63) - 1, 10**400, 0.5, 1e308, -0.0,
    "", " ", "0", "-1", "1e9", "NaN", "null", "\x00", "\x1b[31m", "\r\nX-Injected: 1", "\u202e", "\ufffe",
    "\ud800", "😀" * 50, "ß" * 600, "x" * 5_000, "<Say>hi</Say>", "]]>&amp;\"'", "../../etc/passwd",
    "%00%ff%zz", "{{7*7}}", "{CA}", "'; DROP TABLE calls;--", "0" * 5_000, "٣", "+1555" * 60,
    [], {}, [[]], [None], {"": ""}, {"a": {"b": {"c": []}}}, ["x"] * 300,
]  # fmt: skip


def bent(rng: random.Random, value: Any) -> Any:
    """Return a JSON value with one to three places changed."""
    for _ in range(rng.randint(1, 3)):
        value = _bent_once(rng, value)
    return value


def _bent_once(rng: random.Random, value: Any) -> Any:
    if isinstance(value, dict) and value and rng.random() < 0.85:
        name = rng.choice(list(value))
        rest = {key: one for key, one in value.items() if key != name}
        match rng.randrange(8):
            case 0:
                return rest
            case 1:
                return {**rest, _text(rng): value[name]}
            case 2:
                return {**value, _text(rng): rng.choice(ODD)}
            case _:
                return {**value, name: _bent_once(rng, value[name])}
    if isinstance(value, str) and value and rng.random() < 0.4:
        at = rng.randrange(len(value))
        return value[:at] + rng.choice(["", "\x00", "é", "=", "/", value]) + value[at + 1 :]
    return rng.choice(ODD)


def _text(rng: random.Random) -> str:
    return rng.choice([one for one in ODD if isinstance(one, str)])


def written(rng: random.Random, value: Any) -> str:
    """Return JSON as a sender may write it: not always whole, not always one document."""
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5)
    text = text.encode("utf-8", "replace").decode()
    match rng.randrange(10):
        case 0:
            return text[: rng.randrange(len(text))]
        case 1:
            return text + text
        case 2:
            return "[" * rng.randint(1, 2_000) + text
        case 3:
            at = rng.randrange(len(text))
            return text[:at] + chr(rng.randrange(1, 0x500)) + text[at + 1 :]
        case _:
            return text


def flipped(rng: random.Random, raw: bytes) -> bytes:
    """Return bytes with some changed, lost, doubled or added."""
    made = bytearray(raw)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(made) + 1)
        match rng.randrange(4):
            case 0:
                made[at : at + 1] = bytes((rng.randrange(256),))
            case 1:
                del made[at : at + rng.randint(1, 9)]
            case 2:
                made[at:at] = made[at : at + rng.randint(1, 30)]
            case _:
                made[at:at] = rng.randbytes(rng.randint(1, 9))
    return bytes(made)
