"""Clauses: the units in which speech is synthesised, counted as heard, and said again.

After a drop at most one clause is repeated, so a clause should last one to four seconds: long enough
to sound like speech, short enough to hear twice. A sentence ends where people end it: not after a
title or an initial.
"""

import re

CLAUSE_LETTERS_MAX = 120  # about 8 s of speech; a longer run without punctuation is split at a word
_CLAUSE_GOOD = 70  # about 4 s: longer ones are cut at commas and before "and"
_CLAUSE_TINY = 20  # about 1 s: shorter ones go with their neighbour

_TITLES = frozenset({"mr.", "mrs.", "ms.", "dr.", "prof.", "st.", "vs.", "e.g.", "i.e."})
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”\u2019)\]]*$")
_PAUSE = re.compile(r"(?:[,;:—\u2013]|[,;:][\"'”\u2019)\]]+)$")
_JOINING = frozenset({"and", "but", "or", "so", "because", "which", "while", "when", "if", "then"})


def clauses(text: str) -> tuple[str, ...]:
    """Cut a text into clauses of at most CLAUSE_LETTERS_MAX characters, none of them empty.

    Joined with single blanks they are the text again, with its blanks made single; only a word longer
    than CLAUSE_LETTERS_MAX is cut inside. No text gives no clauses.
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


def _sentences(words: list[str]) -> list[list[str]]:
    """Part words where a sentence ends: not after a title or an initial, nor before a small letter."""
    found: list[list[str]] = [[]]
    for word, following in zip(words, [*words[1:], ""], strict=False):
        found[-1].append(word)
        if (
            not word[-1].isalnum()  # as nearly all words end: the others are searched
            and _SENTENCE_END.search(word)
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
        if not word[-1].isalnum() and _PAUSE.search(word):
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
    while len(words) > CLAUSE_LETTERS_MAX:
        blank = words.rfind(" ", 0, CLAUSE_LETTERS_MAX + 1)
        cut = blank if blank > 0 else CLAUSE_LETTERS_MAX
        found.append(words[:cut])
        words = words[cut:].lstrip(" ")
    return [*found, words]
