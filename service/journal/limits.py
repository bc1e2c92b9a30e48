"""What may be asked of any journal, checked before a store is troubled.

Every limit is the same on all backends, so that a call which fits one fits them all. A breach is a
`ValueError`: it is a bug of the caller or an attack that a door should have stopped, and nothing
was written.
"""

from collections.abc import Sequence

from service.journal.values import RECORD_BYTES_MAX

NAME_CHARS_MAX = (
    256  # a CallSid has 34, a key of ours under 100; the rest is room for other carriers
)
APPEND_RECORDS_MAX = 1_000  # one decision gives under 20; more would hold the store for everyone
APPEND_BYTES_MAX = 4_194_304  # all bodies of one append; a thousand of the usual size are 0.3 MiB
SNAPSHOT_BYTES_MAX = 4_194_304  # a folded call of RECORDS_MAX short turns, with room
TIME_MS_MAX = 2**53 - 1  # Lua counts in doubles; beyond this they skip whole numbers
TOKENS_MAX = 1_024  # spent tokens of one call; a call of an hour that drops every 5 s spends 720
TOKEN_TTL_MS = 3_600_000  # a token's signature has run out long before, so it can't be used anew
UNCLAIMED_MS = 60_000  # a call whose webhook was answered and whose stream never came
LAPSED_MAX = 1_000  # calls told of at once; at 20 redirects a second these last for 50 s
SEALED_MARKS = (b"\xc1", b"\xc0")  # neither begins JSON or any UTF-8: what begins so is sealed
SEAL_BYTES = 29  # what a seal adds to a body: mark, nonce (12), tag (16)
OVER_MAX = 64  # calls that are over, told of at once; whoever erases them asks again
PAGE_RECORDS = 64  # what a tail reads at once, so that a slow reader holds little


def is_name(name: str) -> bool:
    """Say whether a journal can have this name: 1 to NAME_CHARS_MAX printable characters, no braces.

    Braces would move a call out of its hash slot on a Redis Cluster.
    """
    return (
        0 < len(name) <= NAME_CHARS_MAX
        and name.isprintable()
        and "{" not in name
        and "}" not in name
    )


def check_names(*names: str) -> None:
    """Raise ValueError unless each can be a name in the journal."""
    for name in names:
        if not is_name(name):
            raise ValueError(
                f"A name in the journal has 1 to {NAME_CHARS_MAX} printable characters, no braces."
            )


def position_within(after: int) -> int:
    """Return the position nearest to `after` that every store can hold."""
    return min(max(after, 0), TIME_MS_MAX)


def check_times(*times_ms: int) -> None:
    """Raise ValueError unless each is a time since the epoch, or a span, that every store can hold."""
    for time_ms in times_ms:
        if not 0 <= time_ms <= TIME_MS_MAX:
            raise ValueError(f"A time of {time_ms} ms is out of range.")


def check_span(span_ms: int) -> None:
    """Raise ValueError unless this is a time to live that every store can hold."""
    check_times(span_ms)
    if not span_ms:
        raise ValueError("A time to live is at least 1 ms.")


def within_limit(limit: int) -> int:
    """Return how many lapsed calls are told of when `limit` are asked for."""
    return min(max(limit, 0), LAPSED_MAX)


def plain_length(body: bytes) -> int:
    """Return how long a body is without a seal, so that the same facts fit with keys and without."""
    return len(body) - SEAL_BYTES * body.startswith(SEALED_MARKS)


def check_bodies(bodies: Sequence[bytes]) -> None:
    """Raise ValueError unless these bodies can be written at one stroke."""
    if len(bodies) > APPEND_RECORDS_MAX:
        raise ValueError(f"{len(bodies)} records at once; at most {APPEND_RECORDS_MAX} are taken.")
    for body in bodies:
        if plain_length(body) > RECORD_BYTES_MAX:
            raise ValueError(
                f"A record of {len(body)} bytes; at most {RECORD_BYTES_MAX} are taken."
            )
    if sum(map(plain_length, bodies)) > APPEND_BYTES_MAX:
        raise ValueError(f"More than {APPEND_BYTES_MAX} bytes at once.")


def check_append(bodies: Sequence[bytes], *, epoch: int | None, after: int | None) -> None:
    """Raise ValueError for an append that no journal can take."""
    if not bodies:
        raise ValueError("An append has at least one record.")
    check_bodies(bodies)
    for number in (epoch, after):
        if number is not None and not 0 <= number <= TIME_MS_MAX:
            raise ValueError(f"{number} is neither an epoch nor a position.")


def check_snapshot(*, epoch: int, position: int, body: bytes) -> None:
    """Raise ValueError for a snapshot that no journal can keep."""
    if plain_length(body) > SNAPSHOT_BYTES_MAX:
        raise ValueError(f"A snapshot of {len(body)} bytes; at most {SNAPSHOT_BYTES_MAX} are kept.")
    if epoch < 1 or position < 1:
        raise ValueError("A snapshot has an epoch and a position, both from 1 on.")
