"""Sentences out of a stream of words: each as soon as it is complete, and fit to be spoken.

    "The ticket is op" + "en. Dr. Mil" + "ler works on it." -> "The ticket is open." | "Dr. Miller works on it."

A model writes for the eye: stars, lists, links, little pictures, and its own thoughts in front. None of
that is speech, so it is taken out here, before anything is written down as said.
"""

import re
from collections.abc import Iterable

SENTENCE_LETTERS_MAX = 280  # about 18 s of speech; a run without any punctuation is split at a word
SENTENCE_GOOD = 140  # about 9 s: what is longer goes out at its last comma, so that sound begins
_PIECE_LETTERS_MIN = 40  # a shorter piece before a comma sounds chopped
_REPEAT_LETTERS_MIN = 12  # shorter sentences ("Yes.") come twice in good speech

_THOUGHT_BEGINS, _THOUGHT_ENDS = "<think>", "</think>"
_BOUNDARY = re.compile(
    r"[.!?\u2026]+[\"'\u201d\u2019)\]*_`]*(?=\s)|[\u3002\uff01\uff1f]+[\u201d\u300d]?|\n+"
)
_FINAL = "\n\u3002\uff01\uff1f"  # nothing that follows can make these the middle of a sentence
_PAUSE = re.compile(r"[,;:\u2014](?=\s)")
_TITLES = frozenset({"mr", "mrs", "ms", "dr", "prof", "st", "vs", "e.g", "i.e", "approx", "ext"})
_BEFORE_NUMBERS = frozenset({"no", "nr", "p", "pp", "fig"})

_LINK = re.compile(r"!?\[([^\][]*)\]\([^()\s]*\)")
_NOTE = re.compile(r"\[[^\]]*\]?")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_AT_LINE_START = re.compile(r"^\s*(?:(?:[-+\u2022*>]|#{1,6})\s+)+")
_STARS = re.compile(r"[*`~]+|(?<!\w)_+|_+(?!\w)")
_PICTURES = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f\u200d\u20e3]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def speakable(text: str) -> str:
    """Return the text without markup, notes in brackets, pictures and half characters, on one line.

    Empty when nothing is left that could be spoken.
    """
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    text = _AT_LINE_START.sub("", _TAG.sub("", text))
    text = _NOTE.sub("", _LINK.sub(r"\1", text)).replace("|", ", ")
    text = _CONTROLS.sub(" ", _PICTURES.sub("", _STARS.sub("", text)))
    plain = " ".join(text.split())
    return plain if any(sign.isalnum() for sign in plain) else ""


class Sentences:
    """Takes words as they come, and gives sentences of at most SENTENCE_LETTERS_MAX letters."""

    def __init__(self) -> None:
        self._rest = ""
        self._is_first = True
        self._is_thought = False

    def feed(self, words: str) -> list[str]:
        """Return the sentences that these words complete, ready to be spoken."""
        self._rest += words
        if self._is_first and not self._skip_thought():
            return []
        found = []
        while (cut := _cut(self._rest)) is not None:
            found.append(self._rest[:cut])
            self._rest = self._rest[cut:]
        return list(filter(None, map(speakable, found)))

    def end(self) -> list[str]:
        """Return what is left: the words are over."""
        rest, self._rest = self._rest, ""
        return [] if self._is_thought else list(filter(None, [speakable(rest)]))

    def _skip_thought(self) -> bool:
        """Drop thoughts in front of the answer; whether the answer itself has begun."""
        if self._is_thought:
            _, end, after = self._rest.partition(_THOUGHT_ENDS)
            if not end:
                self._rest = self._rest[-len(_THOUGHT_ENDS) :]
                return False
            self._rest, self._is_thought = after, False
        self._rest = self._rest.lstrip()
        if self._rest.startswith(_THOUGHT_BEGINS):
            self._rest, self._is_thought = self._rest[len(_THOUGHT_BEGINS) :], True
            return self._skip_thought()
        self._is_first = _THOUGHT_BEGINS.startswith(self._rest)
        return not self._is_first


def _cut(text: str) -> int | None:
    """Return where the first sentence ends, or None while that can't be known."""
    for mark in _BOUNDARY.finditer(text):
        if mark.end() > SENTENCE_LETTERS_MAX:
            break
        before, after = text[: mark.end()], text[mark.end() :]
        if mark[0][0] in _FINAL:
            return mark.end()
        following = after.lstrip()
        if not following and "\n" not in after:
            return None
        if not _goes_on(before, following):
            return mark.end()
    return _cut_long(text)


def _goes_on(before: str, following: str) -> bool:
    """Whether a sentence goes on behind its mark: after a title, an initial, an open bracket."""
    if before.count("[") > before.count("]"):
        return True
    word = before.rsplit(maxsplit=1)[-1].strip("\"'(*_`\u201c\u2018")
    if not word.endswith((".", "\u2026")):
        return False
    bare = word.rstrip(".").lower()
    is_number = bare.isdecimal() and before.strip() == word  # "1. Restart it."
    is_initial = len(bare) == 1 and bare.isalpha()
    is_counted = bare in _BEFORE_NUMBERS and following[:1].isdecimal()
    return following[:1].islower() or is_number or is_initial or is_counted or bare in _TITLES


def _cut_long(text: str) -> int | None:
    """Cut a sentence that is too long for one breath at a comma, at last at a blank."""
    if len(text) <= SENTENCE_GOOD:
        return None
    within = text[:SENTENCE_LETTERS_MAX]
    pauses = [pause.end() for pause in _PAUSE.finditer(within)]
    if pauses and pauses[-1] >= _PIECE_LETTERS_MIN:
        return pauses[-1]
    if len(text) <= SENTENCE_LETTERS_MAX:
        return None
    blank = within.rfind(" ")
    return blank if blank > 0 else SENTENCE_LETTERS_MAX


class Unrepeated:
    """Tells what is new when a model goes on with an answer, and begins it again all the same."""

    def __init__(self, said: Iterable[str]) -> None:
        self._said = _letters(" ".join(said))
        self._at = 0
        self._is_leading = bool(self._said)

    def is_new(self, sentence: str) -> bool:
        """Whether to say this sentence; the first new one ends the likeness."""
        letters = _letters(sentence)
        found = self._said.find(letters, self._at)
        is_next_or_last = found == self._at or (found > 0 and self._said.endswith(letters))
        is_repeated = is_next_or_last or (found > 0 and len(letters) >= _REPEAT_LETTERS_MIN)
        self._is_leading = self._is_leading and is_repeated
        if self._is_leading:
            self._at = found + len(letters)
        return not self._is_leading


def _letters(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())
