"""An earlier call that was cut off, as the call that may go on with it knows it."""

from typing import Literal

import msgspec

from service.call.facts.ring import CarriedField, CarriedLine, CarriedTool, Proof


class Earlier(msgspec.Struct, frozen=True):
    """What was carried over, and what the caller wants of it.

    open: they have not said yet, so nothing of it may be told. taken: its answers stand in the call's
    own fields. declined: they begin afresh, and nothing of it is left here. See EarlierCarried.
    """

    call_sid: str
    by: Proof
    ended_ms: int
    standing: Literal["open", "taken", "declined"] = "open"
    is_stale: bool = False
    fields: dict[str, CarriedField] = {}
    stage: str = ""
    asked: str = ""
    transcript: tuple[CarriedLine, ...] = ()
    tools: tuple[CarriedTool, ...] = ()
