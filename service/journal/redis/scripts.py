"""The Lua scripts that run inside Redis: each is one atomic step of the promise.

A script is its own file, behind `prelude.lua` when it is about one call. It is called by its hash and
sent only to a server that does not have it, which is every server once, and again after a restart.
"""

from hashlib import sha1
from importlib.resources import files
from secrets import token_hex
from typing import Final

import msgspec


class Script(msgspec.Struct, frozen=True):
    """A script's text, its SHA-1 as EVALSHA wants it, and how many of its arguments are keys."""

    text: bytes
    sha: str
    keys: int


Command = tuple[str | bytes | int, ...]

# A call's key, its channel, and the stem of its other keys. The braces keep them in one hash slot.
CALL_KEY: Final = "stayline:{%s}"

# Stands in a command for the life of the data that the connection leads to: it is known only when the
# command is sent, perhaps through a new connection.
LIFE: Final = "\0life"

# With a first line of its own a script is refused whole by a server whose memory is full, never half way.
_WRITES: Final = b"#!lua\n"
_FREES: Final = b"#!lua flags=allow-oom\n"

_WRITING: Final = ("open", "claim", "append", "snapshot", "lease", "adopt", "spend")
_FREEING: Final = ("release", "erase", "prune", "sweep")


def _lua(name: str) -> bytes:
    return files(__package__).joinpath(f"{name}.lua").read_bytes()


def _script(text: bytes, keys: int) -> Script:
    # Redis names scripts by SHA-1; nothing is secured by it.
    return Script(text, sha1(text, usedforsecurity=False).hexdigest(), keys)


def _of_one_call(first_line: bytes, name: str) -> Script:
    return _script(first_line + _lua("prelude") + b"\n" + _lua(name), keys=3)


SCRIPTS: Final[dict[str, Script]] = {
    **{name: _of_one_call(_WRITES, name) for name in _WRITING},
    **{name: _of_one_call(_FREES, name) for name in _FREEING},
    **{name: _script(_FREES + _lua(name), keys=1) for name in ("unlist", "forget")},
    "exchange": _script(_WRITES + _lua("exchange"), keys=1),
}


def script(name: str, *words: str | bytes | int) -> Command:
    """Return the command that runs a script with these keys and arguments."""
    known = SCRIPTS[name]
    return ("EVALSHA", known.sha, known.keys, *words)


def call_script(
    name: str, call_sid: str, *words: str | bytes | int, ttl_ms: int, now_ms: int = 0
) -> Command:
    """Return the command that runs a script on a call; `words` follow what prelude.lua asks for."""
    call = CALL_KEY % call_sid
    keys = (call, f"{call}:records", f"{call}:tokens")
    return script(name, *keys, now_ms, now_ms + ttl_ms, ttl_ms, token_hex(8), LIFE, *words)
