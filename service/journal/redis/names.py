"""Names that mean calls, in Redis: what asks and tells of them, and what the answers say.

A name is a key of its own with a time to live of its own, and lies in another slot than its call. The
set of a call's names is kept beside the call, so that erasing it finds them.
"""

from collections.abc import Sequence

from service.journal.redis.scripts import CALL_KEY, Command, script

NAME_KEY = "stayline:name:%s"
NAMES_KEY = CALL_KEY + ":names"


def naming(name: str, call_sid: str, *, ttl_ms: int, now_ms: int) -> tuple[Command, ...]:
    """Return what lets the name mean the call."""
    names = NAMES_KEY % call_sid
    return (
        ("SADD", names, name),
        # The set lives as long as the name in it that lives longest.
        ("PEXPIRE", names, ttl_ms, "NX"),
        ("PEXPIRE", names, ttl_ms, "GT"),
        ("SET", NAME_KEY % name, f"{now_ms + ttl_ms} {call_sid}", "PX", ttl_ms),
    )


def asking(name: str) -> Command:
    """Return what asks which call a name means."""
    return ("GET", NAME_KEY % name)


def meant(answer: bytes | None, *, now_ms: int) -> str | None:
    """Return the call that the answer to `asking` names."""
    if answer is None:
        return None
    until_ms, _, call_sid = answer.decode().partition(" ")
    return call_sid if int(until_ms) > now_ms else None


def asking_names(call_sid: str) -> Command:
    """Return what asks for all names that mean the call, or meant it."""
    return ("SMEMBERS", NAMES_KEY % call_sid)


def forgetting(call_sid: str, names: Sequence[bytes]) -> tuple[Command, ...]:
    """Return what makes these names forgotten, one command each, as far as they mean the call."""
    forgotten = (script("forget", NAME_KEY % name.decode(), call_sid) for name in names)
    return (*forgotten, ("DEL", NAMES_KEY % call_sid))
