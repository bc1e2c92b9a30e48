"""Names that callers spell, and names that recognisers mishear.

"Lopez, L O P E Z" is Lopez, and so is "Lopes, L O P E Z": letters said one by one are believed before
the word. What is known of the caller from elsewhere, a directory or a ticket, tells "Acne" from "Acme":
the likest known name is offered, never taken without asking.
"""

import re
from collections.abc import Callable, Iterable
from difflib import SequenceMatcher
from itertools import pairwise

import msgspec

from service.agent.intake.spelling import clarified, letter, times

LETTERS_MIN = 3  # fewer letters in a row may be initials: "J. R. Smith"
LIKE_MILLI = 750  # Acne and Acme, Padel and Patel; not Bob and Rob
_SAME_WORD_MILLI = 500  # a word and its spelling, however it was heard
_ABBREVIATION_LETTERS_MAX = 4  # IBM, ACME: a company that is spelled in so few letters has capitals
_COMPARED_LETTERS_MAX = 100  # a longer text is no name, and comparing takes the square of it
_TEXT_LETTERS_MAX = 300  # a name that is spelled twice is shorter

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_BETWEEN = re.compile(r"[\s,.\-]*")
_ANNOUNCED = re.compile(
    r"[\s,.;:!?]*\b(?:(?:so|and|um|uh|yes|sure|okay)\W+)*"
    r"(?:(?:that's|that is|it's|it is|which is|i spell|you spell|is|my|the|this is|an?)\b\s*)*"
    r"(?:(?:it|that)\s+)?(?:spelled|spelt|spelling|spells|with|as|letters)?"
    r"(?:(?:first|last|sur|family|company)?\s*name(?:'s| is)?)?\W*$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"[\s,.\-]*(?:\d|(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|"
    r"fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|"
    r"ninety|double|triple|dash|number)\b)",
    re.IGNORECASE,
)
_LEGAL = re.compile(
    r"\b(?:inc|incorporated|ltd|limited|corp|corporation|company|co|llc|gmbh|plc|the)\b"
)


class _Run(msgspec.Struct, frozen=True):
    """Letters said one by one, at a place of the text, as the words they make."""

    start: int
    end: int
    words: tuple[str, ...]


def person(text: str, read: Callable[[str], str]) -> tuple[str, bool]:
    """Return the name that `read` or the letters in `text` give, and whether it was spelled."""
    return _named(text, read, str.capitalize)


def company(text: str, read: Callable[[str], str]) -> tuple[str, bool]:
    """Return a company's name likewise; a short one that is only spelled keeps its capitals."""
    return _named(text, read, _as_company)


def is_same(one: str, other: str) -> bool:
    """Whether two names differ in nothing that can be heard."""
    return _folded(one) == _folded(other)


def likest(said: str, known: Iterable[str]) -> str:
    """Return the known name that is most like what was said, or empty when none is like it."""
    rated = [(_likeness_milli(said, one), one) for one in known if one]
    best, name = max(rated, default=(0, ""))
    return name if best >= LIKE_MILLI else ""


def _named(text: str, read: Callable[[str], str], case: Callable[[str], str]) -> tuple[str, bool]:
    plain = clarified(text[:_TEXT_LETTERS_MAX])
    run = _run(plain)
    if run is None:
        return read(text), False
    before = _ANNOUNCED.sub("", plain[: run.start])
    after = plain[run.end :].strip(" ,.!?-")
    words = read(before).split() if before.strip() else []
    rest = read(after).split() if after else []
    if not words and rest and not _finds_word(run.words, rest):
        return " ".join([*map(case, run.words), *rest]), True
    return " ".join(_merged([*words, *rest], run.words, case)), True


def _merged(words: list[str], spelt: tuple[str, ...], case: Callable[[str], str]) -> list[str]:
    """Put each spelled word in the place of the word that it spells; else it comes at the end."""
    if len(spelt) == 1 and len(words) > 1 and is_same("".join(words), spelt[0]):
        return [case(spelt[0])]
    merged = list(words)
    for one in spelt:
        rated = [(_likeness_milli(one, word), -at) for at, word in enumerate(merged)]
        best, place = max(rated, default=(0, 0))
        if best < _SAME_WORD_MILLI:
            merged.append(case(one))
        elif not is_same(one, merged[-place]):
            merged[-place] = one.capitalize()
    return merged


def _finds_word(spelt: tuple[str, ...], words: list[str]) -> bool:
    return any(_likeness_milli(one, word) >= _SAME_WORD_MILLI for one in spelt for word in words)


def _as_company(word: str) -> str:
    return word if len(word) <= _ABBREVIATION_LETTERS_MAX else word.capitalize()


def _run(text: str) -> _Run | None:
    """Return the longest row of letters, if it is long enough or spells a word of the text.

    Letters before a number are no name: they are a ticket's.
    """
    rows = [row for row in _rows(text) if not _NUMBERED.match(text, row[-1].end())]
    runs = [_made(text, row) for row in rows]
    longest = max(runs, key=lambda run: sum(map(len, run.words)), default=None)
    if longest is None:
        return None
    length = sum(map(len, longest.words))
    others = _WORD.findall(text[: longest.start] + " " + text[longest.end :])
    echoes = any(word.upper() == "".join(longest.words) for word in others)
    return longest if length >= LETTERS_MIN or (length > 1 and echoes) else None


def _rows(text: str) -> list[list[re.Match[str]]]:
    """Return the rows of words that stand for letters, with nothing but stops between them."""
    rows: list[list[re.Match[str]]] = [[]]
    end = 0
    for found in _WORD.finditer(text):
        is_joined = _BETWEEN.fullmatch(text, end, found.start()) is not None
        if not (letter(found[0]) or times(found[0])):
            rows.append([])
        elif is_joined:
            rows[-1].append(found)
        else:
            rows.append([found])
        end = found.end()
    articles = {"a", "i"}  # "it's a B M W", "I B M" alone are told apart by the small letter
    return [row[1:] if len(row) > 1 and row[0][0] in articles and row[1][0].isupper() else row
            for row in rows if row]  # fmt: skip


def _made(text: str, row: list[re.Match[str]]) -> _Run:
    gaps = [text[one.end() : two.start()] for one, two in pairwise(row)]
    letters = [letter(found[0]) for found in row]
    for at, found in enumerate(row[:-1]):
        letters[at + 1] *= times(found[0]) or 1
    words = _parted(letters, [("," in gap) for gap in gaps])
    if len(words) == 1 and any("-" in gap for gap in gaps):
        words = _parted(letters, ["-" not in gap for gap in gaps])
    return _Run(row[0].start(), row[-1].end(), words)


def _parted(letters: list[str], is_parted: list[bool]) -> tuple[str, ...]:
    """Part letters into words where they are parted, unless that would leave single letters."""
    words = [letters[0]]
    for sign, is_new in zip(letters[1:], is_parted, strict=True):
        if is_new:
            words.append(sign)
        else:
            words[-1] += sign
    return tuple(words) if all(len(word) > 1 for word in words) else ("".join(letters),)


def _likeness_milli(one: str, other: str) -> int:
    first, second = _folded(one), _folded(other)
    return int(1000 * SequenceMatcher(None, first, second, autojunk=False).ratio())


def _folded(name: str) -> str:
    plain = name[:_COMPARED_LETTERS_MAX].casefold()
    return "".join(filter(str.isalnum, _LEGAL.sub("", plain))) or plain
