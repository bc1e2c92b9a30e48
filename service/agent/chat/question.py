"""What a sentence of a model asks for.

Silence after a question is then noticed, and the ear waits as the answer needs it: longer for a
number, shorter for a yes.
"""

import re

ANY = "reply"  # asked for, but nothing that we have a name for

_ASKING = re.compile(
    r"\?[\"')\s]*$|^(?:and |so |now |then |ok(?:ay)?,? )*(?:please|could you|can you|may i|tell me)\b"
    r"|\b(?:please|go ahead and) (?:tell|give|say|spell|describe|key|enter|confirm|repeat)\b"
)
_NO_QUESTION = re.compile(r"\bplease (?:wait|hold|stay|bear)\b|\bone moment\b")
_FIELDS = (
    (re.compile(r"\bis (?:that|this|it|everything) (?:all )?(?:right|correct|ok(?:ay)?)\b"), "read_back"),
    (re.compile(r"\b(?:correct|right)\?"), "read_back"),
    (re.compile(r"\b(?:phone|mobile|callback|call.?back|telephone)\b.*\bnumber\b|\bnumber\b.*\breach\b"), "phone"),
    (re.compile(r"\b(?:ticket|case|reference|order|account)\b"), "ticket_id"),
    (re.compile(r"\b(?:company|organi[sz]ation|employer)\b|\bcalling from\b"), "company"),
    (re.compile(r"\bname\b|\bwho am i speaking\b"), "name"),
    (re.compile(r"\b(?:problem|issue|wrong|happen(?:s|ed|ing)?|trouble|error)\b"), "problem"),
)  # fmt: skip


def asked(sentence: str) -> str:
    """Return the field that a sentence asks for, ANY for a question about something else, "" for none."""
    words = sentence.lower().replace("\u2019", "'")
    if not _ASKING.search(words) or _NO_QUESTION.search(words):
        return ""
    return next((name for pattern, name in _FIELDS if pattern.search(words)), ANY)
