"""Telephone numbers: read out of spoken words, and written so that they can be read back.

A number is kept as it was said, national or international: "double five", "oh" and groups are made
digits, a plus stays a plus, and nothing is added. The read-back is in groups, because that is how people
check a number.
"""

import re

from service.agent.intake.spelling import spelled

DIGITS_MIN, DIGITS_MAX = 7, 15  # a local number; the longest of E.164
_GROUP = 3

_NUMBER = re.compile(rf"\+?\d{{{DIGITS_MIN},{DIGITS_MAX}}}")
_PLUS = re.compile(r"\+|\bplus\b", re.IGNORECASE)
_EXTENSION = re.compile(r"\b(?:extension|ext)\b.*", re.IGNORECASE | re.DOTALL)
# "oh two oh": at the beginning too it is a zero, unless a comma makes a sigh of it.
_ZERO = re.compile(
    r"\b(?:oh|o)\b(?=\s+(?:\d|zero|oh|o|one|two|three|four|five|six|seven|eight|nine|double|triple)\b)",
    re.IGNORECASE,
)
_THIS = re.compile(
    r"\b(?:this|same|current|that same|my own) (?:phone|number|one|line|phone number)\b|"
    r"\bnumber (?:that )?i(?: am|'m)? (?:calling|phoning|ringing|call)(?: you)?(?: from| on| with)?\b|"
    r"\b(?:on|at|to) this\b|^\W*this\W*$",
    re.IGNORECASE,
)


def phone(text: str) -> str:
    """Return the telephone number in `text`: digits, after a plus if one was said; else empty."""
    words = _ZERO.sub("zero", _EXTENSION.sub("", text))
    plus = _PLUS.search(words)
    runs = re.findall(r"\d+", spelled(words[plus.end() :] if plus else words))
    longest = max(runs, key=len, default="")
    digits = longest if len(longest) >= DIGITS_MIN else "".join(runs)
    if not DIGITS_MIN <= len(digits) <= DIGITS_MAX:
        return ""
    return f"+{digits}" if plus else digits


def is_phone(number: str) -> bool:
    """Whether a caller's number can be called back: no name, no address, not withheld."""
    return bool(_NUMBER.fullmatch(number) and number.isascii())


def is_this(text: str) -> bool:
    """Whether the caller means the number that they call from."""
    return bool(_THIS.search(text.replace("\u2019", "'")))


def grouped(number: str) -> str:
    """Return the number in groups of three, the last of two to four: "415 555 0192"."""
    plus, digits = ("+", number[1:]) if number.startswith("+") else ("", number)
    groups = [digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [groups[-2] + groups[-1]]
    return plus + " ".join(groups)
