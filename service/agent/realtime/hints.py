"""What a model that speaks by itself is told about the answer it is to give now."""

from itertools import takewhile

from service.agent import prompt
from service.call.state import Call, Turn

BROKEN_OFF = (
    "[Your last answer broke off for a technical reason. Go on right after what you have said, "
    "and repeat nothing. If nothing was left to say, ask whether there is anything else.]"
)


def hint(call: Call, turn: Turn) -> str:
    """Return the note for the answer to a turn; empty when the conversation itself says it all."""
    if turn.reason != "cut":
        return prompt.owed(call, turn, is_result_last=True)
    ours = (line for line in reversed(call.transcript) if line.who == "agent")
    lost = takewhile(lambda line: line.cut, ours)
    heard = next((line.heard for line in lost if line.heard), "")
    if not heard:
        return "[The line was bad: the caller heard nothing of your last answer. Give it again.]"
    return (
        f'[The line was bad: the caller heard your last answer only up to "{prompt.plain(heard)}" '
        "Go on right after it, and repeat nothing.]"
    )
