"""Text made fit for speaking: what is spelled, and what an engine is given in one go.

`speakable` turns identifiers into what a person would say: "TKT-1234" would be read "tee-kay-tee twelve
thirty-four" and a telephone number as hundreds, so both are spelled out. `breaths` cuts what is too long
for an engine. Pure text, no engine: anybody may import this.
"""

import re

BREATH_LETTERS_MAX = 200  # measured: 400 words in one go make an engine's first sound 1.7 s late
_BREATH_TINY = 20  # about one second: no shorter sentence stands alone, nor a title such as "Dr."

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

# A telephone number: seven to fifteen digits (E.164's longest) in groups. No date, no amount of money.
_PHONE = re.compile(
    r"(?<![\w$€£.,-])(?!\d{4}-\d\d-\d\d\b|\d+\.\d+(?!\.?\d))\+?\(?\d(?:[ ().-]{0,2}\d){6,14}(?![\w,%-]|\.\d)"
)
# A code: capitals and at least three digits, in one piece or joined by hyphens. No MP3, no UTF-8.
_CODE = re.compile(
    r"\b(?=(?:[A-Z-]*\d){3})(?:[A-Z]{1,6}-?\d{3,12}|[A-Z]{2,6}(?:-[A-Z0-9]{1,12})+)\b"
)
# A bare number that is no amount: long, or led by a zero, or named as a number of something.
_LONG = re.compile(
    r"(?<![\w$€£.,-])(?:\d{5,20}|0\d{1,19})(?![\w%]|[.,:]\d| (?:dollar|euro|pound|percent))"
)
_NAMED = re.compile(
    r"((?:\b(?:ticket|case|number|code|pin|order|account|extension|reference)(?: (?:is|number))?:? |#)#?)"
    r"(\d{3,20})(?![\w%]|[.,:]\d)",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"[*`_~]{1,3}(?=\S)|(?<=\S)[*`~]{1,3}|^#{1,6} ", re.MULTILINE)


def speakable(text: str) -> str:
    """Return the text as it should be spoken: identifiers spelled, mark-up dropped, blanks made single."""
    plain = _MARKUP.sub("", text)
    plain = _PHONE.sub(lambda found: _spell_groups(found[0]), plain)
    plain = _CODE.sub(lambda found: _spell(found[0]), plain)
    plain = _NAMED.sub(lambda found: found[1].replace("#", "") + _spell(found[2]), plain)
    plain = _LONG.sub(lambda found: _spell(found[0]), plain)
    return " ".join(plain.split())


def breaths(text: str) -> tuple[str, ...]:
    """Cut a text that is too long for one go into pieces of at most BREATH_LETTERS_MAX, none empty.

    It is cut after a sentence, else after the last comma or word that fits; only a word longer than
    that is cut inside. Replies come in clauses already (service/call/decisions/clauses.py): this is
    for what spelling made longer, and for whoever renders a text in one piece.
    """
    found: list[str] = []
    rest = text.strip(" ")
    while len(rest) > BREATH_LETTERS_MAX:
        head = rest[: BREATH_LETTERS_MAX + 1]
        ends = (head.find(". ", _BREATH_TINY) + 1, head.rfind(", ") + 1, head.rfind(" "))
        cut = next((end for end in ends if end > 0), BREATH_LETTERS_MAX)
        found.append(rest[:cut])
        rest = rest[cut:].lstrip(" ")
    return tuple(filter(None, (*found, rest)))


def _spell(code: str) -> str:
    """Return letters and digits one by one, with a comma between: the voice pauses there."""
    return ", ".join(_say(sign) for sign in code if sign.isalnum())


def _spell_groups(number: str) -> str:
    """Return a telephone number's digits one by one, with a comma where its groups part."""
    groups = re.findall(r"\d+", number)
    said = [" ".join(_say(digit) for digit in group) for group in groups]
    return ("plus " if number.startswith("+") else "") + ", ".join(said)


def _say(sign: str) -> str:
    return _DIGITS[int(sign)] if sign.isdecimal() else sign.upper()
