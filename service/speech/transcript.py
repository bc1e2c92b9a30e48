"""What a recogniser heard, and when not to believe it.

A recogniser of this kind is a language model that listens: given noise it makes something up. Four
kinds of invention were seen, and each is turned into an empty text here: the lone word "You", notes
of music, letters that English doesn't have, and one phrase over and over.
"""

import re

import msgspec

CONFIDENCE_MILLI_MIN = 606  # e to the -0.5: under 5 % of exactly right transcripts score below it
_PHRASE_WORDS_MAX = 12  # longer phrases don't fit four times into an utterance
_PHRASE_TIMES = 3  # nobody says one phrase three times running
_WORD_TIMES = 8  # but one may well say "no, no, no", and a number may hold 0000
_MUSIC = re.compile("[♩♪♫♬🎵🎶]")
_LAST_LATIN_LETTER = (
    "\N{LATIN SMALL LETTER LONG S}"  # names may have accents: é, ø and ž come before it
)
_LONE_INVENTIONS = frozenset({"you"})


class Transcript(msgspec.Struct, frozen=True):
    """What was said: `text` is empty when nothing was, or when it can't be believed.

    `confidence_milli` is 0 to 1,000: the geometric mean of the likelihoods of the words' parts.
    It tells speech from noise; it does not tell a right word from a wrong one.
    """

    text: str
    confidence_milli: int


NOTHING = Transcript("", 0)


def believed(text: str, confidence_milli: int) -> Transcript:
    """Return the transcript, with its text emptied when it is of the kind that is invented."""
    words = re.findall(r"[\w']+", text.lower())
    is_doubtful = (
        confidence_milli < CONFIDENCE_MILLI_MIN
        or not words
        or _MUSIC.search(text) is not None
        or any(letter > _LAST_LATIN_LETTER and letter.isalpha() for letter in text)
        or (len(words) == 1 and words[0] in _LONE_INVENTIONS)
        or _goes_round(words)
    )
    return Transcript("" if is_doubtful else text, confidence_milli)


def _goes_round(words: list[str]) -> bool:
    """Return whether some phrase follows itself more often than people repeat themselves."""
    for length in range(1, _PHRASE_WORDS_MAX + 1):
        times = _PHRASE_TIMES if length > 2 else _WORD_TIMES  # noqa: PLR2004
        run = 0
        for at in range(length, len(words)):
            run = run + 1 if words[at] == words[at - length] else 0
            if run >= length * (times - 1):
                return True
    return False
