"""What the holder of a call keeps in mind: the end of the talk, not all of it.

    journal     all that was ever said and done, on disk
    fold        the whole of it, for whoever looks at the call
    mind        the same, without lines and streams so old that no decision and no agent asks for them

A call may last four hours, and a server holds hundreds. So what grows with the talk is bounded here. To bound
and then fold is to fold and then bound, as far as the bounds go: a fact of now changes nothing that old.
"""

from msgspec.structs import replace

from service.call.state import Call

LINES_MAX = 256  # half an hour of talk: more than any brain of ours reads of it
STREAMS_MAX = 1_024  # more drops than any limit of them counts; at one in 15 s, four hours
NOTES_MAX = 256  # of people; the latest are what the agent is told


def in_mind(call: Call) -> Call:
    """Return the call without what is too old to matter to its holder."""
    is_bounded = (
        len(call.transcript) <= LINES_MAX
        and len(call.streams) <= STREAMS_MAX
        and len(call.notes) <= NOTES_MAX
    )
    if is_bounded:
        return call
    return replace(
        call,
        transcript=call.transcript[-LINES_MAX:],
        streams=call.streams[-STREAMS_MAX:],
        notes=call.notes[-NOTES_MAX:],
    )
