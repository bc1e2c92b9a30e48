"""How deep the brackets of a JSON text are nested. Pure.

What we read has four levels at most. A text of brackets alone costs its reader a level of stack for each.
"""

import re

DEPTH_MAX = 16  # requirement S-9

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


def is_too_deep(raw: bytes) -> bool:
    """Whether a text has more than DEPTH_MAX levels of objects and lists. Brackets in strings don't count."""
    if raw.count(b"{") + raw.count(b"[") <= DEPTH_MAX:
        return False
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", raw)):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEPTH_MAX:
            return True
    return False
