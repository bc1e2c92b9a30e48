"""Whether what the caller says may be kept: asked before anything is. Pure.

asked ──> "yes" or 1 ──> given: the call begins
      ├─> "no" or 2 ───> declined ──> a human if there is one, else the end
      └─> neither, silence: asked again; the third time that is a no

Rules kept here (requirement S-14):

1. What the caller says or keys meanwhile decides, and is written nowhere.
2. A yes must be clear: whatever could be both is none.
3. After a drop the question is asked again only while it stands unanswered.
"""

import re

from service.call import events as e, inputs as i
from service.call.decisions import caller
from service.call.decisions.answer import spoken
from service.call.events import Known
from service.call.inputs import Decision
from service.call.policy import Policy
from service.call.privacy import CONSENT, HOW_LINE, By
from service.call.state import Call

ASKS_MAX = 3  # who has not answered by then has not agreed
AGAIN_LINE = f"I'm sorry, I need a clear answer first. {HOW_LINE}"
DECLINED_LINE = "All right, then I can't go on here, and nothing you said was kept."
HUMAN_LINE = "I'll put you through to somebody."
GOODBYE_LINE = "Please write to us instead. Goodbye."

_WORD = re.compile(r"[a-z]+")
_YES = frozenset(
    [
        "yes",
        "yeah",
        "yep",
        "yup",
        "sure",
        "ok",
        "okay",
        "certainly",
        "absolutely",
        "agree",
        "agreed",
        "accept",
        "alright",
        "fine",
        "one",
    ]
)
_NO = frozenset(
    [
        "no",
        "nope",
        "nah",
        "not",
        "don",
        "dont",
        "never",
        "refuse",
        "decline",
        "disagree",
        "cannot",
        "won",
        "two",
    ]
)
_KEYS = {"1": True, "2": False}


def opened(call: Call, policy: Policy, further: int = 0) -> tuple[Known, ...]:
    """Return the facts of asking whoever has just come, or nothing when nobody is to be asked."""
    if not policy.consent_text or call.privacy.consent:
        return ()
    return _asking(call, f"{policy.consent_text} {HOW_LINE}", further)


def heard(call: Call, said: i.Utterance, _now_ms: int, policy: Policy) -> Decision:
    """The caller said something. Only what it means for the question is kept."""
    if call.privacy.consent != "asked":
        return Decision(_silently(call, said.played))
    if said.is_partial or not said.text:
        return Decision(_silently(call, said.played))
    meant = meaning(said.text)
    quiet = (*caller.cut(call, said.played, "barge_in"), e.CallerSpoke(text=""))
    if meant is None:
        return Decision((*quiet, *_again(call, policy)))
    return Decision((*quiet, *_answered(call, policy, "speech", is_yes=meant)))


def keyed(call: Call, pressed: i.Key, _now_ms: int, policy: Policy) -> Decision:
    """The caller pressed a key. Any but the two says nothing."""
    meant = _KEYS.get(pressed.digit)
    if call.privacy.consent != "asked" or meant is None:
        return Decision(caller.advanced(call, pressed.played))
    return Decision(
        (*caller.cut(call, pressed.played, "key"), *_answered(call, policy, "key", is_yes=meant))
    )


def silent(call: Call, policy: Policy) -> Decision:
    """Nobody answered."""
    return Decision(_again(call, policy))


def meaning(text: str) -> bool | None:
    """Return whether the words are a yes; None when they are neither, or both."""
    words = set(_WORD.findall(text.lower()))
    is_yes, is_no = bool(words & _YES), bool(words & _NO)
    return is_yes if is_yes is not is_no else None


def _silently(call: Call, played: tuple[e.Played, ...]) -> tuple[Known, ...]:
    return (*caller.advanced(call, played), e.CallerSpoke(text=""))


def _asking(call: Call, line: str, further: int = 0) -> tuple[Known, ...]:
    asked = e.ConsentAsked(times=call.privacy.asks + 1)
    if call.taken_over is not None:  # It is a person's to say.
        return (asked,)
    return (asked, spoken(call, line, asks=CONSENT, further=further))


def _again(call: Call, policy: Policy) -> tuple[Known, ...]:
    if call.privacy.asks >= ASKS_MAX:
        return _answered(call, policy, "silence", is_yes=False)
    return _asking(call, AGAIN_LINE)


def _answered(call: Call, policy: Policy, by: By, *, is_yes: bool) -> tuple[Known, ...]:
    if is_yes:
        return (e.ConsentGiven(by=by),)
    if call.taken_over is not None:
        return (e.ConsentDeclined(by=by),)
    is_put_through = policy.has_human and not call.is_from_page
    line = f"{DECLINED_LINE} {HUMAN_LINE if is_put_through else GOODBYE_LINE}"
    ending = e.EndingPlanned(ending="transfer" if is_put_through else "hangup", is_last_resort=True)
    return (e.ConsentDeclined(by=by), spoken(call, line), ending)
