"""Letters and digits, read out of spoken words: "T K T one two" and "tee kay tee 12" are both TKT12.

Many spoken signs are also words ("to", "for", "are", "okay"). Such a word counts as a sign only among
signs that can be nothing else: a letter beside a sure letter, a digit between others or at the end.
"""

import re
from itertools import groupby

import msgspec

PREFIX_LETTERS_MAX = 5  # "TKT", "CASE": a longer word in capitals is a word

_DIGITS = {
    "zero": "0", "nought": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9", "niner": "9", "ten": "10",
    "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15",
    "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
_TENS = {
    "twenty": "2", "thirty": "3", "forty": "4", "fifty": "5", "sixty": "6", "seventy": "7",
    "eighty": "8", "ninety": "9",
}  # fmt: skip
_MAYBE_DIGITS = {"oh": "0", "to": "2", "too": "2", "for": "4", "ate": "8"}
_LETTERS = {
    "ay": "A", "bee": "B", "cee": "C", "dee": "D", "ee": "E", "eff": "F", "gee": "G", "aitch": "H",
    "jay": "J", "kay": "K", "el": "L", "ell": "L", "em": "M", "en": "N", "pee": "P", "queue": "Q",
    "cue": "Q", "ar": "R", "ess": "S", "tee": "T", "vee": "V", "ex": "X", "zed": "Z", "zee": "Z",
    "alpha": "A", "alfa": "A", "bravo": "B", "charlie": "C", "delta": "D", "echo": "E",
    "foxtrot": "F", "golf": "G", "hotel": "H", "india": "I", "juliet": "J", "kilo": "K",
    "lima": "L", "mike": "M", "november": "N", "oscar": "O", "papa": "P", "quebec": "Q",
    "romeo": "R", "sierra": "S", "tango": "T", "uniform": "U", "victor": "V", "whiskey": "W",
    "xray": "X", "yankee": "Y", "zulu": "Z",
}  # fmt: skip
_MAYBE_LETTERS = {
    "a": "A", "i": "I", "o": "O", "be": "B", "see": "C", "sea": "C", "okay": "K", "ok": "K",
    "are": "R", "tea": "T", "you": "U", "why": "Y",
}  # fmt: skip
_WORDS = frozenset({"id", "pin", "no", "it", "is", "my", "hi", "the", "yes", "hmm", "mm", "mhm"})
_JOINING = frozenset({"dash", "hyphen", "minus", "number", "um", "uh", "er"})
_TIMES = {"double": 2, "triple": 3}
_CLARIFIED = re.compile(r"\b([a-z])[\s,]+(?:as in|like|for)\s+\1[a-z]+", re.IGNORECASE)


def clarified(text: str) -> str:
    """Return the text with "S as in Sam" made a plain S."""
    return _CLARIFIED.sub(r"\1", text.replace("\u2019", "'"))


def letter(word: str) -> str:
    """Return the letter that a word surely stands for, in capitals, or an empty string."""
    if len(word) == 1:
        return word.upper() if word.isalpha() else ""
    return _LETTERS.get(word.lower(), "")


def times(word: str) -> int:
    """Return how often the sign after this word is meant: 2 after "double"; 0 when it says nothing."""
    return _TIMES.get(word.lower(), 0)


class _Sign(msgspec.Struct, frozen=True):
    """What a word stands for; a `kind` of "word" stands for none."""

    kind: str
    text: str = " "
    is_sure: bool = True


def spelled(text: str) -> str:
    """Return the letters and digits in `text` in capitals, with blanks where other words stood."""
    signs = _signs(clarified(text))
    sure = _zeros(_sure_letters(signs))
    return "".join(
        " " if one.kind == "word" or not (one.is_sure or _is_among(sure, index)) else one.text
        for index, one in enumerate(sure)
    )


def _signs(text: str) -> list[_Sign]:
    words = [
        word
        for word in re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+", text)
        if word.lower() not in _JOINING
    ]
    signs: list[_Sign] = []
    times, tens = 1, ""
    for word in words:
        low = word.lower()
        if low in _TIMES:
            times = _TIMES[low]
            continue
        sign = _sign(word)
        if tens and len(_DIGITS.get(low, "")) == 1 and low not in ("zero", "nought"):
            signs[-1] = _Sign("digit", tens + sign.text)
        elif times == 2 and low in ("u", "you"):  # noqa: PLR2004 - "double u" is a letter
            signs.append(_Sign("letter", "W"))
        else:
            signs.append(_Sign(sign.kind, sign.text * times, sign.is_sure))
        times, tens = 1, _TENS.get(low, "")
    return signs


def _sign(word: str) -> _Sign:
    low = word.lower()
    if low in _TENS:
        return _Sign("digit", _TENS[low] + "0")
    if word.isdecimal() or low in _DIGITS:
        return _Sign("digit", _DIGITS.get(low, word))
    if low in _MAYBE_DIGITS:
        return _Sign("digit", _MAYBE_DIGITS[low], is_sure=False)
    if low in _MAYBE_LETTERS:
        return _Sign("letter", _MAYBE_LETTERS[low], is_sure=False)
    if low in _LETTERS or _is_code(word):
        return _Sign("letter", _LETTERS.get(low, word.upper()))
    return _Sign("word")


def _is_code(word: str) -> bool:
    """Whether a word is no word but letters: one of them, a few capitals, or none to sing."""
    if not word.isascii() or not word.isalpha() or word.lower() in _WORDS:
        return False
    is_short = len(word) <= PREFIX_LETTERS_MAX
    return len(word) == 1 or (is_short and (word.isupper() or not re.search("(?i)[aeiouy]", word)))


def _sure_letters(signs: list[_Sign]) -> list[_Sign]:
    """A run of letters with a sure one in it is sure; one without is words, but for an O."""
    found: list[_Sign] = []
    for kind, run in groupby(signs, key=lambda sign: sign.kind):
        letters = list(run)
        if kind == "letter" and any(one.is_sure for one in letters):
            letters = [_Sign("letter", one.text) for one in letters]
        elif kind == "letter":
            letters = [one if one.text == "O" else _Sign("word") for one in letters]
        found.extend(letters)
    return found


def _zeros(signs: list[_Sign]) -> list[_Sign]:
    """An O that is left beside digits is a zero."""
    return [
        _Sign("digit", "0", is_sure=False) if not one.is_sure and one.text == "O" else one
        for one in signs
    ]


def _is_among(signs: list[_Sign], index: int) -> bool:
    """Whether a doubtful digit has a sign before it, and another or nothing after it."""
    is_led = index > 0 and signs[index - 1].kind != "word"
    is_followed = index + 1 == len(signs) or signs[index + 1].kind != "word"
    return is_led and is_followed
