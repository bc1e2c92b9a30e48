"""Who has the floor: when the caller's thought is finished, and when a sound means "let me speak".

Pure, from the words so far and what was asked. The words are a recogniser's English, so they come
with capitals, commas and guesses. Three questions are answered here:

1. How much silence ends this utterance? (`patience_ms`)
2. Is it only a sign of listening, such as "mm-hm"? (`is_backchannel`)
3. Is it an interruption, so that what we are saying is cut? (`is_interruption`)
"""

import re
from typing import Literal

import msgspec

from service.call.state import Call

PATIENCE_MS = 600  # measured: ends no turn early in 160 of 160 utterances
PATIENCE_FULL_MS = 400  # a full yes or no is in, or nothing that needs an answer: go on sooner
PATIENCE_NUMBER_MS = 800  # enough digits for a ticket, but some tickets are longer
PATIENCE_THINKING_MS = 1_100  # after "um" or "my name is" people need about a second
PATIENCE_SPELLING_MS = 1_200  # people look up from the paper between the groups of a number
PATIENCE_MS_MIN, PATIENCE_MS_MAX = PATIENCE_FULL_MS, PATIENCE_SPELLING_MS

INTERRUPTION_MS = 900  # of voice without known words: no cough and no "mm-hm" is so long
TICKET_DIGITS = 4  # the shortest tickets have four digits
PHONE_DIGITS = 10  # a North American number; shorter ones wait a moment longer for nothing


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_YES_NO_FIELDS = frozenset({"read_back", "still_right"})
_YES_NO_PREFIXES = ("confirm", "is_", "has_", "wants_")
_PHONE_PARTS = _words("phone callback mobile")
_NUMBER_PARTS = _words("ticket number account code pin digits serial order")

_YES_NO = _words(
    "yes yeah yep yup no nope nah correct right wrong incorrect exactly absolutely sure ok okay "
    "perfect fine good uh-huh mm-hmm mm-hm mhm"
)
_BESIDE_YES_NO = _words(
    "it is that that's it's all of course not please thanks thank you everything sounds looks "
    "quite very much sir ma'am isn't is"
)
_LEADS_ON = frozenset({"that", "that's", "it's", "not", "all", "quite", "very"})

_HESITATION = r"u+h+m*|u+m+|e+r+m*|h+m+|a+h+|o+h+"
_HUM = r"m+(?:[\s-]?h+m+)+|m+|mhm+|uh[\s-]?huh"
_ASSENT = (
    r"yes|yeah|yep|yup|okay|ok|right|sure|all ?right|fine|good|great|cool|exactly|correct|"
    r"that's right|of course|i see|i know|i understand|understood|got it|go on|thanks|thank you"
)
_DENIAL = re.compile(r"\bn?uh[\s-]uh\b", re.IGNORECASE)


def _only(*kinds: str) -> re.Pattern[str]:
    return re.compile(rf"\W*(?:(?:{'|'.join(kinds)})\b\W*)+", re.IGNORECASE)


_ONLY_HESITATION = _only(_HESITATION)
_ONLY_SOUNDS = _only(_HUM, _HESITATION)
_ONLY_BACKCHANNEL = _only(_HUM, _HESITATION, _ASSENT)

_UNFINISHED = re.compile(
    rf"(?:^|[\s,])(?:{_HESITATION}|(?<!think )(?<!hope )(?<!guess )so|and|or|but|because|'cause|well|"
    r"the|a|an|my|your|our|their|of|from|with|for|to|at|by|i'm|i am|we're|it's|that's|"
    r"this is|there is|there's|not|"
    r"(?:name|names|number|company|problem|issue|ticket|id|code|address|error|thing|digits) (?:is|was|are)|"
    r"name's|company's|problem's|let me (?:think|see|check|look)|hold on|one (?:moment|second)|just a (?:moment|second))$"
)
_TRAILS_OFF = (",", "…", "...", "-", "\u2013", "\u2014", ":", ";")

_UNITS = _words("zero nought oh one two three four five six seven eight nine niner to too for ate")
_TEENS = _words("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
_TENS = _words("twenty thirty forty fifty sixty seventy eighty ninety")
_DOUBTFUL_UNITS = frozenset({"oh", "to", "too", "for", "ate"})
_TIMES = {"double": 2, "triple": 3}
_SPELT_WORD_LETTERS_MAX = 5  # "TKT" in capitals is spelling; a longer word in capitals is a word

Kind = Literal["yes_no", "phone", "number", "other"]


class _Signs(msgspec.Struct, frozen=True):
    """The letters and digits that an utterance ends in, and of how many pieces they are."""

    letters: int = 0
    digits: int = 0
    pieces: int = 0


def patience_ms(call: Call, text: str) -> int:
    """Return how much silence ends an utterance whose words so far are `text`.

    From PATIENCE_MS_MIN to PATIENCE_MS_MAX. `call.asked` tells what the words may be an answer to.
    """
    kind = _kind(call.asked)
    if not text.strip():
        return PATIENCE_FULL_MS if call.prompts else PATIENCE_MS
    if is_backchannel(call, text):
        return PATIENCE_FULL_MS
    if kind == "yes_no" and _is_full_yes_no(text):
        # Recognisers end a lone "No" in a comma as often as in a full stop.
        return PATIENCE_MS if text.rstrip().endswith(",") else PATIENCE_FULL_MS
    if _is_unfinished(text):
        return PATIENCE_THINKING_MS
    return _number_patience_ms(kind, _signs(text))


def is_backchannel(call: Call, text: str) -> bool:
    """Whether the caller only shows that they listen, while we speak.

    Words said into silence are never that. While we ask something and the question is as good as
    heard, "yes" and "okay" are answers; a hum is one only to a question of yes or no.
    """
    if not call.prompts or _DENIAL.search(text) or not _ONLY_BACKCHANNEL.fullmatch(text):
        return False
    asks = _asks(call)
    if not asks:
        return True
    only = _ONLY_HESITATION if _kind(asks) == "yes_no" else _ONLY_SOUNDS
    return only.fullmatch(text) is not None


def is_interruption(call: Call, text: str, speech_ms: int) -> bool:
    """Whether the caller means to take the floor from us.

    `text` is what is known of the words, empty when nothing is yet; `speech_ms` is how long the voice
    has lasted.
    """
    if not text.strip():
        return speech_ms >= INTERRUPTION_MS
    return not is_backchannel(call, text)


def _asks(call: Call) -> str:
    """Return the field of the question that is playing, once its last clause has begun."""
    playing = call.prompts[0]
    return playing.asks if playing.clauses_heard + 1 >= len(playing.clauses) else ""


def _kind(field: str) -> Kind:
    if field in _YES_NO_FIELDS or field.startswith(_YES_NO_PREFIXES):
        return "yes_no"
    parts = field.split("_")
    if _PHONE_PARTS.intersection(parts):
        return "phone"
    return "number" if _NUMBER_PARTS.intersection(parts) else "other"


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("\u2019", "'").split())


def _is_full_yes_no(text: str) -> bool:
    """Whether the words are a yes or a no and nothing else, and don't lead on to more."""
    plain = _plain(text)
    words = re.findall(r"[a-z]+(?:['-][a-z]+)*", plain)
    return (
        bool(_YES_NO.intersection(words))
        and _YES_NO.union(_BESIDE_YES_NO).issuperset(words)
        and words[-1] not in _LEADS_ON
        and not plain.rstrip(",").endswith(_TRAILS_OFF)
    )


def _is_unfinished(text: str) -> bool:
    plain = _plain(text)
    return plain.endswith(_TRAILS_OFF) or _UNFINISHED.search(plain.rstrip(" .!?")) is not None


def _number_patience_ms(kind: Kind, signs: _Signs) -> int:
    """Longer while a number or a spelled word may go on."""
    if kind in ("phone", "number"):
        enough = PHONE_DIGITS if kind == "phone" else TICKET_DIGITS
        is_open = signs.pieces > 0 and signs.digits < enough
    else:
        is_open = signs.letters > 0 or signs.pieces > 1
    if is_open:
        return PATIENCE_SPELLING_MS
    return PATIENCE_NUMBER_MS if kind == "number" and signs.digits else PATIENCE_MS


def _signs(text: str) -> _Signs:
    """Count the letters and digits at the end of a text, back to the first word that is neither."""
    words = re.findall(r"[a-zA-Z']+|\d+", text.replace("\u2019", "'"))
    letters = digits = pieces = 0
    for index in range(len(words) - 1, -1, -1):
        word, before = words[index], words[index - 1].lower() if index else ""
        low = word.lower()
        times = _TIMES.get(before, 1)
        if low in _TIMES:
            continue
        if low in _DOUBTFUL_UNITS and not pieces and not _is_sign(before):
            break
        if _digits_in(low, before):
            digits += _digits_in(low, before) * times
        elif _is_spelt(word, before):
            letters += len(word) * times
        elif not (low in _UNITS and before in _TENS):
            break
        pieces += 1
    return _Signs(letters, digits, pieces)


def _digits_in(word: str, before: str) -> int:
    """Return how many digits a word stands for; after "thirty", "four" changes one and adds none."""
    if word.isdecimal():
        return len(word)
    if word in _TEENS or word in _TENS:
        return 2
    return 1 if word in _UNITS and before not in _TENS else 0


def _is_sign(word: str) -> bool:
    return bool(_digits_in(word, "")) or (len(word) == 1 and word.isalpha())


def _is_spelt(word: str, before: str) -> bool:
    """Whether a word is letters said one by one: one that is no word here, or a few capitals."""
    if len(word) == 1:
        is_letter_before = len(before) == 1 and before.isalpha()
        return word.isalpha() and (word not in {"I", "a", "A"} or is_letter_before)
    return word.isalpha() and word.isupper() and len(word) <= _SPELT_WORD_LETTERS_MAX
