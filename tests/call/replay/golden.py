"""The golden corpus as recorded calls."""

from functools import cache

from msgspec.structs import replace

from service.call.replay.recording import Recording
from tests.call.corpus.journals import families, recording
from tests.call.test_walk import Walk

PAUSE_MS = 20  # that family was recorded with shorter pauses between attempts than a server's
HURRIED = "tool_drops"


@cache
def calls(family: str) -> tuple[tuple[str, Recording], ...]:
    """Return the calls of a family by name. Of walks it is known by which policy they were decided."""
    return tuple((one.name, _ruled(one.name, recording(one))) for one in families()[family])


def _ruled(name: str, call: Recording) -> Recording:
    kind, _, seed = name.partition(" ")
    if kind != "walk":
        return call
    return replace(call, head=replace(call.head, policy=Walk(int(seed)).story.policy))
