"""What callers answer, read out of their words: yes or no, names, companies, ticket IDs.

Recognisers write words, not forms: "My name is Maria Lopez.", "it's T K T one two three four". Each
reader here takes the words and returns the value, or an empty string when there is none in them.
"""

import re

VALUE_LETTERS_MAX = 300  # a longer answer to a form's question is a story, kept by its beginning
PREFIX_LETTERS_MAX = 5  # "TKT", "CASE": a longer word in capitals is a word

_NUMBERS = {
    "zero": "0", "oh": "0", "one": "1", "two": "2", "to": "2", "too": "2", "three": "3",
    "four": "4", "for": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "ate": "8",
    "nine": "9", "niner": "9",
}  # fmt: skip
_TEENS = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14",
    "fifteen": "15", "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
_TENS = {
    "twenty": "2", "thirty": "3", "forty": "4", "fifty": "5", "sixty": "6", "seventy": "7",
    "eighty": "8", "ninety": "9",
}  # fmt: skip
_LETTERS = {
    "tee": "T", "tea": "T", "kay": "K", "okay": "K", "bee": "B", "be": "B", "see": "C", "sea": "C",
    "dee": "D", "gee": "G", "jay": "J", "el": "L", "em": "M", "en": "N", "pee": "P", "are": "R",
    "you": "U", "why": "Y", "ex": "X",
}  # fmt: skip

_YES = re.compile(
    r"\b(yes|yeah|yep|yup|sure|correct|right|exactly|that's it|absolutely|of course|affirmative)\b"
)
_NO = re.compile(r"\b(no|nope|nah|wrong|incorrect|not right|isn't|not correct|negative)\b")
_NAME = re.compile(
    r"\b(?:my name is|my name's|this is|i am|i'm|it is|it's|name is|call me|speaking is)\s+(.+)",
    re.IGNORECASE,
)
_COMPANY = re.compile(
    r"\b(?:calling from|i'm with|i am with|i'm from|i am from|work for|work at|company is|"
    r"company's called|it is|it's|this is|from|at)\s+(.+)",
    re.IGNORECASE,
)
_HAS_NONE = re.compile(
    r"\b(don't have|do not have|haven't got|no ticket|none|not yet|new (?:one|issue|problem))\b"
)


def yes_or_no(text: str) -> bool | None:
    """Return True for a yes, False for a no, None when it is neither."""
    words = text.lower().replace("\u2019", "'")
    if _NO.search(words):
        return False
    return True if _YES.search(words) else None


def person(text: str) -> str:
    """Return a person's name."""
    return _title(_after(_NAME, text))


def company(text: str) -> str:
    """Return a company's name."""
    return _after(_COMPANY, text)


def story(text: str) -> str:
    """Return the caller's own words, tidied."""
    return " ".join(text.split())[:VALUE_LETTERS_MAX]


def has_none(text: str) -> bool:
    """Whether the caller says that there is none."""
    return bool(_HAS_NONE.search(text.lower().replace("\u2019", "'")))


def ticket(text: str) -> str:
    """Return a ticket ID such as TKT-1234: letters, then digits; digits alone will do.

    Empty when fewer than three digits were said: no ticket is that short.
    """
    symbols = _symbols(text)
    found = re.search(r"([A-Z]{2,5})?(\d{3,12})(?!.*\d)", symbols)
    if found is None:
        return ""
    letters, digits = found.groups()
    return f"{letters}-{digits}" if letters else digits


def _after(pattern: re.Pattern[str], text: str) -> str:
    tidy = " ".join(text.replace("\u2019", "'").split()).strip(" .,!?")
    found = pattern.search(tidy)
    value = found.group(1) if found else tidy
    value = re.split(r"[.,;!?]\s|\s+and\s+(?:my|i|i'm|the)\b", value)[0]
    return value.strip(" .,!?")[:VALUE_LETTERS_MAX]


def _title(name: str) -> str:
    return name.title() if name.islower() or name.isupper() else name


def _symbols(text: str) -> str:
    """Spell the words out: "T K T one two" and "TKT-12" both become TKT12."""
    symbols: list[str] = []
    tens = ""
    for word in re.findall(r"[A-Za-z]+|\d+", text):
        low = word.lower()
        if tens and low in _NUMBERS and _NUMBERS[low] != "0":
            symbols.append(tens + _NUMBERS[low])
            tens = ""
            continue
        if tens:
            symbols.append(tens + "0")
            tens = ""
        if low in _TENS:
            tens = _TENS[low]
        else:
            symbols.append(_symbol(word, low))
    if tens:
        symbols.append(tens + "0")
    return "".join(symbols)


def _symbol(word: str, low: str) -> str:
    spelled = _NUMBERS.get(low) or _TEENS.get(low) or _LETTERS.get(low)
    if spelled:
        return spelled
    if word.isdigit() or len(word) == 1 or (word.isupper() and len(word) <= PREFIX_LETTERS_MAX):
        return word.upper()
    return " "
