"""What a state is worth comparing by: one number that stays while its meaning stays. Pure."""

import base64
import hashlib
import json
from typing import Any

import msgspec

from service.call.state import Call


def state_sum(call: Call) -> str:
    """Return the SHA-256 of the state, in hexadecimal."""
    return digest(bare(call))


def digest(thing: Any) -> str:
    """Return the SHA-256 of plain values, in hexadecimal."""
    return hashlib.sha256(canonical(thing)).hexdigest()


def canonical(thing: Any) -> bytes:
    """Return the JSON that means this thing and no other."""
    return json.dumps(thing, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def bare(thing: Any) -> Any:
    """Return plain values, without the fields of structs that stand at their defaults.

    So a field that is new, and that an old journal does not touch, changes nothing.
    """
    match thing:
        case msgspec.Struct():
            return {
                field.name: bare(value)
                for field in msgspec.structs.fields(thing)
                if (value := getattr(thing, field.name)) != _default(field)
            }
        case dict():
            return {str(name): bare(value) for name, value in thing.items()}
        case list() | tuple():
            return [bare(value) for value in thing]
        case bytes():
            return base64.b64encode(thing).decode()
        case _:
            return thing


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default
