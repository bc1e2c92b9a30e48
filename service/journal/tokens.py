"""When a stream token may be used again: the one rule that all backends share.

The carrier may dial the same stream anew with the token it has. That is let through for its own stream,
within a window of the use before, a bounded number of times. Everything else is a copy of the token in
somebody else's hands, or a loop. See reliability.md, S-2.
"""

from typing import Final

OTHER_STREAM = "another stream has used this token"
TOO_OFTEN = "this token was used too often"
TOO_LATE = "this token was used too long ago"
TOO_MANY = "this call has spent too many tokens"

REASONS: Final = {  # by the words of spend.lua
    "other_stream": OTHER_STREAM,
    "too_often": TOO_OFTEN,
    "too_late": TOO_LATE,
    "too_many": TOO_MANY,
}


def refusal(
    *, is_same_stream: bool, uses: int, uses_max: int, idle_ms: int, window_ms: int
) -> str | None:
    """Return why a token that was used `uses` times, last `idle_ms` ago, is refused; None if it isn't.

    A negative `idle_ms` (another machine's clock is ahead) counts as just now.
    """
    if not is_same_stream:
        return OTHER_STREAM
    if uses >= uses_max:
        return TOO_OFTEN
    if idle_ms > window_ms:
        return TOO_LATE
    return None
