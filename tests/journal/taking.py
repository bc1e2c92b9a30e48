"""A claim that expects nothing, and so always succeeds."""

from collections.abc import Sequence
from typing import Any

from service.journal.journal import Journal
from service.journal.values import Claim


async def take(
    journal: Journal, call_sid: str, opening: Sequence[bytes] = (), **named: Any
) -> Claim:
    claim = await journal.claim(call_sid, opening, **named)
    assert isinstance(claim, Claim)
    return claim
