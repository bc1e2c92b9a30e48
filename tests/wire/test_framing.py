"""RFC 6455 5.2, as far as it is decided here; what is passed on is judged by the connection's own tests."""

import random

import pytest
from websockets.frames import Frame, Opcode

from service.wire.framing import Framing, framed
from service.wire.piece import Piece, Raw

MAX = 1_000


def sent(opcode: Opcode, payload: bytes, *, fin: bool = True, mask: bool = True) -> bytes:
    return Frame(opcode, payload, fin).serialize(mask=mask)


def test_texts_come_whole_and_unmasked_however_they_are_cut() -> None:
    texts = [b"", b"a", b"b" * 125, b"c" * 126, b"d" * MAX, "ü".encode()]
    line = b"".join(sent(Opcode.TEXT, one) for one in texts)
    for size in (1, 2, 3, 7, 130, len(line)):
        framing = Framing(MAX)
        found = [
            piece
            for at in range(0, len(line), size)
            for piece in framing.feed(line[at : at + size])
        ]
        assert found == texts, size


def test_a_text_of_medium_length_that_comes_by_itself_is_taken_whole() -> None:
    framing = Framing(MAX)
    for length in (126, 127, MAX):
        assert framing.whole(sent(Opcode.TEXT, b"x" * length)) == b"x" * length
    assert framing.feed(b"") == []


@pytest.mark.parametrize(
    "read",
    [
        b"",
        sent(Opcode.TEXT, b"x" * 125),
        sent(Opcode.TEXT, b"x" * 126)[:-1],
        sent(Opcode.TEXT, b"x" * 126) + b"\x81",
        sent(Opcode.TEXT, b"x" * (MAX + 1)),
        sent(Opcode.TEXT, b"x" * 126, mask=False),
        sent(Opcode.TEXT, b"x" * 126, fin=False),
        sent(Opcode.BINARY, b"x" * 126),
        b"\x81\xfe\0\0\0\0\0\0",
    ],
)
def test_whatever_else_a_read_brings_is_not_taken_so(read: bytes) -> None:
    assert Framing(MAX).whole(read) is None


@pytest.mark.parametrize(
    "before",
    [b"\x81", sent(Opcode.TEXT, b"x", fin=False), sent(Opcode.TEXT, b"x", mask=False)],
    ids=["part of a frame", "a fragment", "a fault"],
)
def test_nothing_is_taken_whole_behind_what_is_not_at_its_end(before: bytes) -> None:
    framing = Framing(MAX)
    framing.feed(before)
    assert framing.whole(sent(Opcode.TEXT, b"x" * 126)) is None


def test_a_key_of_zeros_changes_nothing() -> None:
    assert Framing(MAX).feed(b"\x81\x82\0\0\0\0hi") == [b"hi"]


@pytest.mark.parametrize("opcode", [Opcode.BINARY, Opcode.PING, Opcode.PONG, Opcode.CLOSE])
def test_any_other_frame_is_passed_on_as_it_came(opcode: Opcode) -> None:
    raw, text = sent(opcode, b"xy"), sent(Opcode.TEXT, b"t")
    framing = Framing(MAX)
    assert framing.feed(raw[:3]) == []
    assert framing.feed(raw[3:] + text) == [Raw(raw), b"t"]


def test_a_text_among_fragments_is_the_parsers_to_judge() -> None:
    first, last = sent(Opcode.TEXT, b"a", fin=False), sent(Opcode.CONT, b"b")
    text, ping = sent(Opcode.TEXT, b"t"), sent(Opcode.PING, b"")
    framing = Framing(MAX)
    assert [isinstance(piece, bytes) for piece in framing.feed(first + ping + text)] == [False] * 3
    framing = Framing(MAX)
    assert [isinstance(piece, bytes) for piece in framing.feed(first + ping + last + text)] == [
        False,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    "raw",
    [
        sent(Opcode.TEXT, b"open", mask=False),
        sent(Opcode.TEXT, b"x" * (MAX + 1))[:4],
        b"\x81\xff" + (2**63).to_bytes(8, "big"),
    ],
    ids=["unmasked", "too long", "absurdly long"],
)
def test_from_a_fault_on_everything_is_the_parsers(raw: bytes) -> None:
    framing = Framing(MAX)
    good = sent(Opcode.TEXT, b"t")
    assert framing.feed(good + raw) == [b"t", Raw(raw)]
    assert framing.feed(good) == [Raw(good)]


def test_nothing_is_lost_and_nothing_added_whatever_comes() -> None:
    for seed in range(200):
        chance = random.Random(seed)
        frames = [
            sent(
                chance.choice([Opcode.TEXT, Opcode.PING, Opcode.BINARY]),
                chance.randbytes(chance.randrange(126)),
            )
            for _ in range(20)
        ]
        line, framing = b"".join(frames), Framing(MAX)
        at, found = 0, list[Piece]()
        while at < len(line):
            step = chance.randrange(1, 500)
            found += framing.feed(line[at : at + step])
            at += step
        assert len(found) == len(frames), f"seed {seed}"
        raw = b"".join(piece.octets for piece in found if isinstance(piece, Raw))
        assert raw == b"".join(one for one in frames if one[0] != 0x81), f"seed {seed}"


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_a_text_of_ours_is_one_frame(length: int) -> None:
    whole = Frame(Opcode.TEXT, b"x" * length).serialize(mask=False)
    assert framed("x" * length) == whole
