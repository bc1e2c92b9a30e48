"""Text made fit for speaking: what is spelled, and where a sentence may be cut.

`speakable` turns identifiers into what a person would say: "TKT-1234" would be read "tee-kay-tee twelve
thirty-four" and a telephone number as hundreds, so both are spelled out. `clauses` cuts a text where
speech may stop and start again: after a dropped stream at most one clause is said twice, so a clause
should be one to four seconds long. Pure text, no engine: anybody may import this.
"""

import re

CLAUSE_MAX = (
    200  # characters; measured: an engine's first sound comes 1.7 s late on 400 words in one go
)
_CLAUSE_GOOD = 70  # about four seconds of speech: longer ones are cut at commas and before "and"
_CLAUSE_TINY = 20  # about one second: shorter ones go with their neighbour

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TITLES = frozenset({"mr.", "mrs.", "ms.", "dr.", "prof.", "st.", "vs.", "e.g.", "i.e."})

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

_SENTENCE_END = re.compile(r"[.!?…]+[\"'”\u2019)\]]*$")
_PAUSE = re.compile(r"(?:[,;:—\u2013]|[,;:][\"'”\u2019)\]]+)$")
_JOINING = frozenset({"and", "but", "or", "so", "because", "which", "while", "when", "if", "then"})


def speakable(text: str) -> str:
    """Return the text as it should be spoken: identifiers spelled, mark-up dropped, blanks made single."""
    plain = _MARKUP.sub("", text)
    plain = _PHONE.sub(lambda found: _spell_groups(found[0]), plain)
    plain = _CODE.sub(lambda found: _spell(found[0]), plain)
    plain = _NAMED.sub(lambda found: found[1].replace("#", "") + _spell(found[2]), plain)
    plain = _LONG.sub(lambda found: _spell(found[0]), plain)
    return " ".join(plain.split())


def clauses(text: str) -> tuple[str, ...]:
    """Cut a text into clauses of at most CLAUSE_MAX characters, none of them empty.

    Joined with single blanks they are the text again, with its blanks made single; only a word longer
    than CLAUSE_MAX is cut inside. No text gives no clauses.
    """
    found: list[str] = []
    for sentence in _sentences(text.split()):
        for piece in _pieces(sentence):
            words = " ".join(piece)
            if found and _belong_together(found[-1], words):
                found[-1] = f"{found[-1]} {words}"
            else:
                found.extend(_short_enough(words))
    return tuple(found)


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


def _sentences(words: list[str]) -> list[list[str]]:
    """Part words where a sentence ends: not after a title or an initial, nor before a small letter."""
    found: list[list[str]] = [[]]
    for word, following in zip(words, [*words[1:], ""], strict=False):
        found[-1].append(word)
        if (
            _SENTENCE_END.search(word)
            and not _is_abbreviation(word)
            and not following[:1].islower()
        ):
            found.append([])
    return [sentence for sentence in found if sentence]


def _is_abbreviation(word: str) -> bool:
    return word.lower() in _TITLES or re.fullmatch(r"[A-Z]\.", word) is not None


def _pieces(sentence: list[str]) -> list[list[str]]:
    """Part a long sentence at its commas, and what is still long before a joining word."""
    if _length(sentence) <= _CLAUSE_GOOD:
        return [sentence]
    found: list[list[str]] = [[]]
    for word in sentence:
        is_joint = word.lower() in _JOINING and _length(found[-1]) >= _CLAUSE_GOOD // 2
        if is_joint:
            found.append([])
        found[-1].append(word)
        if _PAUSE.search(word):
            found.append([])
    return [piece for piece in found if piece]


def _length(words: list[str]) -> int:
    return sum(map(len, words)) + len(words) - 1


def _belong_together(before: str, after: str) -> bool:
    """Return whether two neighbours make a better clause as one."""
    is_tiny = len(before) < _CLAUSE_TINY or len(after) < _CLAUSE_TINY
    return is_tiny and len(before) + 1 + len(after) <= _CLAUSE_GOOD


def _short_enough(words: str) -> list[str]:
    """Cut what has no punctuation to the limit: at a blank, or inside a word when there is none."""
    found = []
    while len(words) > CLAUSE_MAX:
        blank = words.rfind(" ", 0, CLAUSE_MAX + 1)
        cut = blank if blank > 0 else CLAUSE_MAX
        found.append(words[:cut])
        words = words[cut:].lstrip(" ")
    return [*found, words]
