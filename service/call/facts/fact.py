"""What all facts of a call have in common."""

from typing import Annotated, Literal

import msgspec

SCHEMA_VERSION = 1  # see events.py for when it is raised

Cause = Literal["new", "drop", "dtmf", "deploy", "crash", "duplicate"]
Who = Literal["caller", "agent", "human"]
Voice = Literal["ours", "model", "person"]
Status = Literal["pending", "succeeded", "failed", "timed_out", "unknown"]


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]


class Fact(msgspec.Struct, frozen=True, tag_field="kind", tag=_snake, kw_only=True, gc=False):
    """What all facts have in common: a kind (the class name in snake case) and a schema version."""

    v: Annotated[int, msgspec.Meta(le=SCHEMA_VERSION)] = SCHEMA_VERSION  # a later one isn't read


class Unknown(msgspec.Struct, frozen=True):
    """A fact of a newer version of the code: kept, shown, skipped."""

    kind: str
    body: bytes
