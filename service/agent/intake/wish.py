"""What callers may wish at any time, whatever they were asked: a person, the end, or that again.

Only what can hardly be an answer counts: a person has to be asked for in so many words, and the other
wishes are recognised only when nothing else was said. "The agent software hangs" is a problem.
"""

import re
from typing import Literal

LETTERS_MAX = 300  # who says more than that at once tells a story
_SHORT_WORDS = 8  # in a longer sentence a person must be asked for, not only be spoken of

Wish = Literal["", "person", "goodbye", "repeat", "presence", "time"]

_SOMEBODY = (
    r"(?:an?other |an? |the |some |your |one of your )?(?:real |live |actual |human |support |service )*"
    r"(?:agents?|humans?|person|people|human being|someone|somebody|operator|representative|"
    r"colleagues?|adviser|advisor|supervisor|staff|receptionist)\b(?: real| human| else)?"
)
_PLEASE = r"(?:\W*\b(?:please|now|thanks|thank you|right now|sorry|hello|hi|no|yes|okay|ok|just|well|um|uh)\b)*"
_PERSON = re.compile(
    rf"\b(?:speak|talk|chat) (?:to|with) {_SOMEBODY}|"
    rf"\b(?:connect|transfer|switch|pass) me(?: over| through)?(?: to| with) {_SOMEBODY}|"
    rf"\bput me through\b|\b(?:get|give) me {_SOMEBODY}(?!\s+who\b)|"
    rf"\b(?:a|any) (?:real|live|actual) (?:person|human|agent)\b|\bhuman being\b|"
    rf"^{_PLEASE}\W*(?:i (?:want|need|would like|'d like) |i'd like |can i (?:have|get) |could i (?:have|get) )?"
    rf"{_SOMEBODY}{_PLEASE}\W*$"
)
_REQUEST = re.compile(
    r"\b(?:(?:can|could|may|will|would) (?:i|you|we)|i(?:'d| would) (?:like|rather|prefer)|i (?:want|need|wanna)|"
    r"let me|please)\b"
)
_NOT_THEM = re.compile(r"\b(?:someone|somebody|people)\b")

_ENDING = (
    r"ok|okay|well|alright|all right|right|so|and|then|now|no|yes|thanks?|thank you|very much|so much|a lot|"
    r"that's all|that is all|that's it|that's everything|for now|nothing else|never mind|forget it|cheers|"
    r"i have to go|i've got to go|i gotta go|gotta go|i must go|i'm done|i am done|i'll call (?:back|again)(?: later)?|"
    r"i will call (?:back|again)(?: later)?|have a (?:nice|good|great) (?:day|one|evening|weekend)|see you|later|you too|"
    r"for your help|take care|um|uh"
)
_BYE = r"good-?bye|good bye|bye|byebye|you can hang up|hang up"
_GOODBYE = re.compile(rf"(?:(?:{_ENDING})\W+)*(?:{_BYE})(?:\W+(?:{_ENDING}|{_BYE}))*")

_POLITE = r"sorry|excuse me|hello|hi|hey|um|uh|oh|well|please|i'm sorry|i am sorry|wait|hm+|huh"
_REPEAT = re.compile(
    rf"(?:(?:{_POLITE})\W+)*(?:"
    r"what|pardon(?: me)?|sorry|excuse me|come again|say what|what's that|what was that|what is that|"
    r"what did you (?:say|just say|ask)(?: again)?|what was (?:the|your) question(?: again)?|"
    r"(?:(?:can|could|would|will) you )?(?:please )?(?:repeat|say)(?: (?:that|it|this|the question|your question))?"
    r"(?: (?:again|once more|one more time|please|for me|slower|slowly|more slowly))*|"
    r"(?:again|once more|one more time)|"
    r"i (?:didn't|did not|don't|couldn't|could not|can't) (?:quite )?(?:hear|catch|get|understand)(?: (?:that|you|it|the question|what you said))?"
    rf")(?:\W+(?:{_POLITE}|again))*"
)
_PRESENCE = re.compile(
    r"(?:(?:hello|hi|hey|um|uh|sorry)\W+)*(?:are you (?:still )?(?:there|here)|(?:is )?(?:anybody|anyone|somebody|someone) (?:still )?there|"
    r"can you (?:still )?hear me|do you hear me|you (?:still )?there|did i lose you)(?:\W+(?:hello|please))*|"
    r"(?:hello\W+)*hello"
)
_THINKING = (
    r"well|um+|uh+|er+|hm+|okay|ok|yes|sure|please|so|oh|sorry|i|just|"
    r"(?:one|just a|a|just one) (?:moment|second|sec|minute)|hold on|hang on|wait(?: a (?:moment|second|minute))?|"
    r"bear with me|give me a (?:moment|second|sec|minute)|"
    r"let me (?:think|see|check|look|have a look|find it|get it)(?: (?:about|for|at))?(?: (?:it|that|this))?(?: up)?|"
    r"i(?:'m| am) (?:just )?(?:looking|checking|thinking)(?: it up| for it)?|i have to look(?: it up)?"
)
_TIME = re.compile(rf"(?:{_THINKING})(?:\W+(?:{_THINKING}))*")
_TIME_NAMED = re.compile(
    r"\b(?:moment|second|sec|minute|hold on|hang on|wait|bear with me|let me|looking|checking|thinking|to look)\b"
)


def wish(text: str) -> Wish:
    """Return what the caller wishes: "" for none of these."""
    plain = " ".join(text.lower().replace("\u2019", "'").split()).strip(" .,!?-\"'")
    if not plain or len(plain) > LETTERS_MAX:
        return ""
    is_short = len(plain.split()) <= _SHORT_WORDS
    if (
        _PERSON.search(plain)
        and not _NOT_THEM.fullmatch(plain)
        and (is_short or _REQUEST.search(plain))
    ):
        return "person"
    if _GOODBYE.fullmatch(plain):
        return "goodbye"
    if _PRESENCE.fullmatch(plain):
        return "presence"
    if _REPEAT.fullmatch(plain):
        return "repeat"
    if _TIME.fullmatch(plain) and _TIME_NAMED.search(plain):
        return "time"
    return ""
