"""What callers answer, read out of their words: yes or no, names, companies, ticket IDs.

Recognisers write words, not forms: "My name is Maria Lopez.", "it's T K T one two three four". Each
reader here takes the words and returns the value, or an empty string when there is none in them.
"""

import re

from service.agent.intake.spelling import spelled

VALUE_LETTERS_MAX = 300  # a longer answer to a form's question is a story, kept by its beginning
NAME_WORDS_MAX = 7  # "Maria del Carmen de la Cruz Lopez"; more words are a sentence

_NO_MATTER = re.compile(
    r"\bno (?:problem|worries|issues?|doubt)\b|\bnot(?:hing)?(?: is|'s)? wrong\b"
)
_WRONG = re.compile(
    r"\b(?:wrong|incorrect|negative|mistake)\b|\bnot (?:quite|exactly|really|at all|true|okay|"
    r"(?:all |quite |really )?(?:right|correct))\b|\b(?:isn't|aren't|doesn't|wasn't)\b"
)
_UNSURE = re.compile(r"\bnot (?:so |really )?sure\b|\bdon't know\b")
_RIGHT = re.compile(
    r"\b(?:that's|that is|it's|it is|all|everything's|everything is|sounds|looks|you're|you are)"
    r"(?: all| quite| absolutely| exactly)? (?:right|correct|fine|good|perfect|it)\b"
)
_NO = re.compile(r"\b(?:no|nope|nah|not)\b")
_YES = re.compile(
    r"\b(?:yes|yeah|yep|yup|sure|correct|right|exactly|absolutely|of course|affirmative|okay|ok|"
    r"perfect|indeed|i think so|you got it|uh-huh|mm-hmm|mhm)\b"
)

_NAME = (
    r"\b(?:my name is|my name's|the name is|the name's|name is|call me|speaking is)\s+(.+)",
    r"\b(?:this is|i am|i'm|it is|it's|that's|that is)\s+(.+)",
)
_COMPANY = (
    (
        r"\b(?:on behalf of|calling from|work for|work at|working for|working at|i represent|"
        r"company is called|company's called|company name is|company's name is|company is|company's|i'm with|i am with|"
        r"we're with|we are with|we're called|we are called)\s+(.+)"
    ),
    r"\b(?:from|at)\s+(.+)",
    r"\b(?:it is|it's|this is|that's|that is|we are|we're)\s+(.+)",
)
_OPENING = re.compile(
    r"^(?:(?:yes|yeah|yep|sure|okay|ok|oh|um+|uh+|er|well|so|hi|hello|hey|of course|good morning|"
    r"good afternoon|good evening|no|nope|please|sorry|thanks|thank you|pardon|what)\b[\s,.!?]*)+",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"[\s,]+(?:speaking|here|calling|please|thanks|thank you)$|\s+(?:calling )?from\s.*$",
    re.IGNORECASE,
)
# Not after a title or an initial: "Dr. Smith", "J. R. Smith".
_SENTENCE_ENDS = re.compile(
    r"(?<!\bDr)(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bSt)(?<!\b[A-Z])\.\s|[,;!?]\s|"
    r"\s+and\s+(?:my|i|i'm|the|we|we're)\b",
    re.IGNORECASE,
)
_NO_NAME = re.compile(
    r"^(?:fine|good|great|well|okay|ok|sorry|not|just|calling|having|trying|here|afraid|from|with|"
    r"about|looking|a|an|the|on|in|at|my|very|doing|right|correct|your|you|can|could|i|wrong|incorrect|"
    r"misspelled|spelled|different|it|no|is|that)\b",
    re.IGNORECASE,
)
_NO_COMPANY = re.compile(
    r"^(?:fine|good|great|okay|sorry|calling|my|here|not|about|right|correct|least|home|wrong|incorrect|"
    r"misspelled|spelled|different|it|no|is|that|i'm|i am|i've|i have|i need|i want|i work|i can't|i can not|"
    r"i cannot|(?:we're|we are) (?:calling|having)|we have|we've|we can't|we need)\b",
    re.IGNORECASE,
)
_COMPANY_CALLED = re.compile(
    r"^(?:a|the) (?:company|firm|business|shop)(?: (?:is|called|named))+ ", re.IGNORECASE
)
# What says of itself which answer it is, whatever was asked.
_CLEAR_NAME = (
    r"(?<!company )(?<!company's )(?<!firm )(?<!business )"
    r"\b(?:my name is|my name's|the name is|the name's|name is|call me)\s+(.+)"
)
_CLEAR = {"name": (_CLEAR_NAME,), "company": _COMPANY[:1]}
_NO_STORY = re.compile(
    r"^\W*(?:(?:yes|yeah|yep|yup|no|nope|ok|okay|sure|right|alright|all right|well|so|and|hi|hello|hey|um+|uh+|er|oh|"
    r"please|thanks|thank you|correct|mm-hmm|mhm|uh-huh|hm+|very much|so much|a lot|perfect|wonderful|for (?:that|your help)|that's|good|fine|great|go ahead|i see|i'm here|what|sorry)\b\W*)*$",
    re.IGNORECASE,
)
_HAS_NONE = re.compile(
    r"\b(?:don't have|do not have|don't know|do not know|haven't got|have not got|can't find|"
    r"didn't get|never got|there isn't|no ticket|no number|no idea|none|not yet|"
    r"new (?:one|issue|problem))\b|^\W*(?:no|nope)\b(?!.*\d)"
)
_WRITTEN = re.compile(r"\b([A-Za-z]{2,5})-?(\d{3,12})\b(?![\s,.-]*\d)")


def yes_or_no(text: str) -> bool | None:
    """Return True for a yes, False for a no, None when it is neither.

    "No, that's right" is a yes: it says that nothing is wrong.
    """
    words = _NO_MATTER.sub("that's right", _plain(text).lower())
    if _WRONG.search(words):
        return False
    if _UNSURE.search(words):
        return None
    if _RIGHT.search(words):
        return True
    if _NO.search(words):
        return False
    return True if _YES.search(words) else None


def person(text: str) -> str:
    """Return a person's name."""
    return _as_person(_value(_NAME, _NO_NAME, text))


def company(text: str) -> str:
    """Return a company's name."""
    return _COMPANY_CALLED.sub("", _value(_COMPANY, _NO_COMPANY, text))


def clear(field: str, text: str) -> str:
    """Return the name, company or ticket that the words give by its name: "my company is Acme".

    Empty when they do not say of themselves what they are an answer to.
    """
    if field == "ticket_id":
        found = ticket(text)
        is_called = re.search(r"\b(?:ticket|case)\b", text, re.IGNORECASE)
        return found if is_called or not found.isdecimal() else ""
    refused, leads = (_NO_NAME if field == "name" else _NO_COMPANY), _CLEAR.get(field, ())
    found = _led(leads, refused, _plain(text))
    return _as_person(found) if field == "name" else found


def story(text: str) -> str:
    """Return the caller's own words, tidied."""
    return " ".join(text.split())[:VALUE_LETTERS_MAX]


def is_story(text: str) -> bool:
    """Whether something was told, and not only "Hello?" or "yes"."""
    return not _NO_STORY.match(_plain(text))


def has_none(text: str) -> bool:
    """Whether the caller says that there is none."""
    return bool(_HAS_NONE.search(_plain(text).lower()))


def ticket(text: str) -> str:
    """Return a ticket ID such as TKT-1234: letters, then digits; digits alone will do.

    The last one when several were said. Empty when fewer than three digits were said: no ticket is
    that short.
    """
    signs = spelled(text)
    found = (
        _WRITTEN.findall(text)
        or re.findall(r"(?<![A-Z])([A-Z]{2,5})(\d{3,12})(?!\d)", signs)
        or re.findall(r"()(?<!\d)(\d{3,12})(?!\d)", signs)
    )
    if not found:
        return ""
    letters, digits = found[-1]
    return f"{letters.upper()}-{digits}" if letters else digits


def _plain(text: str) -> str:
    return " ".join(text.replace("\u2019", "'").split())


def _value(leads: tuple[str, ...], refused: re.Pattern[str], text: str) -> str:
    """Return what follows the first lead that is followed by a name; all of it when none leads."""
    tidy = _plain(text)
    led = _led(leads, refused, tidy)
    if led:
        return led
    rest = _OPENING.sub("", tidy)
    is_refused = rest.endswith("?") or refused.match(rest)
    return "" if is_refused else _first_part(rest)


def _led(leads: tuple[str, ...], refused: re.Pattern[str], tidy: str) -> str:
    for lead in leads:
        for found in re.finditer(f"(?=({lead}))", tidy, re.IGNORECASE):
            value = _first_part(found[2])
            if value and not refused.match(value):
                return value
    return ""


def _as_person(name: str) -> str:
    """Return a name without what is said around it, or empty for what is nobody's name."""
    tidy = _CLOSING.sub("", name).strip(" .,")
    is_name = not any(map(str.isdecimal, tidy)) and len(tidy.split()) <= NAME_WORDS_MAX
    return _title(tidy) if is_name else ""


def _first_part(text: str) -> str:
    return _SENTENCE_ENDS.split(text)[0].strip(" .,!?")[:VALUE_LETTERS_MAX]


def _title(name: str) -> str:
    return name.title() if name.islower() or name.isupper() else name
