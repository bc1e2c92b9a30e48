"""What calls from a page are called: a name that no carrier gives, and that is told at a glance."""

import re
import secrets
from collections.abc import Callable

MARK = (
    "WB"  # Twilio's names of things are two letters and 32 hex digits, too; none of its kinds is WB
)
_NAME = re.compile(rf"{MARK}[0-9a-f]{{32}}")


def new_call_sid(letters: Callable[[int], str] = secrets.token_hex) -> str:
    """Return the name of a new call. `letters` returns twice so many random hex digits."""
    return f"{MARK}{letters(16)}"


def is_from_page(call_sid: str) -> bool:
    """Whether this is the name of a call from a page."""
    return _NAME.fullmatch(call_sid) is not None
