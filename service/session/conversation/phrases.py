"""Sentences that are said in many calls: spoken once at the start, so that no caller waits for them."""

from collections.abc import Iterator

from service.call.decisions.clauses import clauses
from service.call.decisions.ending import LAST_RESORT_LINE, SILENT_LINE, UNDIALABLE_LINE
from service.call.decisions.resume import INTERRUPTED_LINE, LOST_LINE, SILENCE_LINE, WORKING_LINE
from service.session.conversation.thinking import APOLOGY, GONE_LINE, GREETING

OURS = (
    INTERRUPTED_LINE,
    SILENCE_LINE,
    WORKING_LINE,
    LOST_LINE,
    APOLOGY,
    GREETING,
    GONE_LINE,
    SILENT_LINE,
    UNDIALABLE_LINE,
    LAST_RESORT_LINE,
)
PHRASES_MAX = 200  # of an agent: ten seconds of the voice's time


def phrases(agent: object) -> Iterator[str]:
    """Yield, clause by clause as they will be rendered, our own lines and the agent's `phrases`.

    The attribute is optional: a sequence of texts that the agent says often.
    """
    of_agent = getattr(agent, "phrases", ())
    for text in (*OURS, *tuple(of_agent)[:PHRASES_MAX]):
        yield from clauses(str(text))
