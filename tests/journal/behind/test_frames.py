"""R-9: a torn or damaged end of the shelf's file costs what is torn, and nothing before it."""

import random

from service.journal.behind.frames import FRAME_BYTES_MAX, framed, unframed

PAYLOADS = (b"one", b"", b"three" * 100)
CONTENT = b"".join(map(framed, PAYLOADS))


def test_what_is_framed_is_read_back() -> None:
    assert unframed(CONTENT) == (PAYLOADS, len(CONTENT))
    assert unframed(b"") == ((), 0)


def test_every_prefix_gives_the_whole_frames_in_it() -> None:
    ends = [len(b"".join(map(framed, PAYLOADS[:n]))) for n in range(len(PAYLOADS) + 1)]
    for cut in range(len(CONTENT)):
        whole = sum(end <= cut for end in ends[1:])
        assert unframed(CONTENT[:cut]) == (PAYLOADS[:whole], ends[whole])


def test_damage_ends_the_reading_before_it() -> None:
    chance = random.Random(5)
    for _ in range(300):
        place = chance.randrange(len(CONTENT))
        damaged = bytearray(CONTENT)
        damaged[place] ^= 1 << chance.randrange(8)
        payloads, _ = unframed(bytes(damaged))
        assert payloads == PAYLOADS[: len(payloads)]
        assert len(payloads) < len(PAYLOADS)


def test_a_length_that_no_entry_has_is_damage() -> None:
    huge = (FRAME_BYTES_MAX + 1).to_bytes(4, "big") + bytes(4)
    assert unframed(CONTENT + huge + b"x" * 50).payloads == PAYLOADS
