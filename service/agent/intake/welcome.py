"""The first words of a call; and whether who rings back wants to go on with the call that was cut off.

Nothing of that call is told before they have said yes: who holds the telephone may be somebody else.

    open ── offered ──> yes ──> the answers are taken over ──> the very question that was open
                  └───> no, or nothing that could be understood twice ──> afresh
"""

import re

from service.agent.intake import readback
from service.agent.intake.form import FROM_PARAMETERS
from service.agent.intake.repair import Wordings
from service.call.state import Call, Turn

GO_ON = "wants_to_go_on"
ASKS_MAX = 2  # a third time would keep them from what they rang for
BACK = "Welcome back. We were cut off earlier."
AFRESH = "All right, let's start afresh."

_SHALL_WE = "Shall we go on where we stopped?"
_MORE = (
    "Please say yes to go on where we stopped, or no to start afresh. "
    "You can also press 1 for yes, or 2 for no."
)
_YES = re.compile(r"\b(?:go on|go ahead|continue|carry on|keep going|please do|let's do that)\b")
_NO = re.compile(
    r"\b(?:start (?:over|again|afresh|anew|from scratch)|(?:from the|at the) (?:beginning|start)|afresh|"
    r"something (?:else|different)|(?:new|another|different) (?:problem|issue|ticket|question|matter)|"
    r"don't|do not|rather not)\b"
)


def greeting(call: Call) -> str:
    """Greet the caller by what the directory knows of them."""
    name, company, ticket = (call.parameters.get(one, "") for one in FROM_PARAMETERS.values())
    hello = f"Hello {name}" if name else "Hello"
    if is_ours(call):
        return f"{hello}, this is support calling you back."
    at = f" from {company}" if company else ""
    about = f" I see this is about ticket {ticket}." if ticket else ""
    return f"{hello}{at}, thank you for calling support.{about}"


def is_ours(call: Call) -> bool:
    """Whether it was we who rang."""
    return call.direction.startswith("outbound")


def offer(call: Call) -> Wordings:
    """Return the ways to ask whether to go on with the earlier call."""
    again = f"Sorry, I need a yes or a no. {_SHALL_WE}"
    if is_ours(call):
        first = f"{greeting(call)} We were cut off earlier. {_SHALL_WE}"
    elif call.earlier is not None and call.earlier.by == "ticket":
        hello = "" if call.is_greeted else f"{greeting(call)} "
        first = f"{hello}An earlier call about this ticket was cut off. {_SHALL_WE}"
    else:
        first = f"{BACK} {_SHALL_WE}"
    return Wordings(first, again, _MORE)


def is_open(call: Call) -> bool:
    """Whether there is an earlier call of which the caller has not said what they want."""
    return call.earlier is not None and call.earlier.standing == "open"


def is_taken(call: Call) -> bool:
    """Whether the caller goes on with an earlier call."""
    return call.earlier is not None and call.earlier.standing == "taken"


def agreed(turn: Turn) -> bool | None:
    """Return True for a yes, False for a no, None for anything else."""
    words = turn.text.lower().replace("\u2019", "'")
    if turn.reason == "speech" and _NO.search(words):
        return False
    found = readback.agreed(turn)
    if found is None and turn.reason == "speech" and _YES.search(words):
        return True
    return found
