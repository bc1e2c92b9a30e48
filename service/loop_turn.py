"""The turns of the event loop: what is a long one, and when it stood still.

Who has much to do for many does a little of it in each turn of the loop, so that sockets are read in between.
A loop with a thousand sockets to read has turns of 50 ms, and a little in each of those is nothing: a turn counts
by its length, or else everybody would be heard and nobody answered, or let in.
"""

TURN_MS = 5  # as it is when the loop has air
LATE_MS = 100  # a loop that is so late with a deadline has stood still: it was stopped, or swamped


def turns_in(waited_ms: int) -> int:
    """Return as how many turns the last one counts, for which one waited so long.

    One in which the process stood still is not made up for at once.
    """
    return max(1, min(waited_ms, LATE_MS) // TURN_MS)
