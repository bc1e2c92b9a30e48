"""RFC 6455 on the real port: who breaks it is told how and is let go, and nobody else notices (S-18)."""

import json

import pytest

from service.protocol.messages import MESSAGE_BYTES_MAX
from tests.conftest import wait_until
from tests.hostile.broken import Case, cases
from tests.hostile.conftest import Witness
from tests.hostile.raw import (
    BINARY,
    CLOSE,
    CONT,
    PING,
    PONG,
    TEXT,
    close,
    frame,
    pieces,
    upgraded,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

CASES = cases()
GOOD_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999)  # fmt: skip
KEY = json.dumps(
    {"event": "dtmf", "dtmf": {"digit": "5"}, "x": "ü€😀"}, ensure_ascii=False
).encode()
PADDED = KEY + b" " * (MESSAGE_BYTES_MAX - len(KEY))


def names(case: Case) -> str:
    return case.name.replace(" ", "-")


@pytest.mark.parametrize("case", CASES, ids=names)
async def test_a_stranger_who_breaks_the_protocol_is_let_go(witness: Witness, case: Case) -> None:
    async with upgraded(witness.host) as raw:
        await raw.send(case.sent)
        end = await raw.ended()
    assert end.code == case.code
    await witness.is_well()


@pytest.mark.parametrize("case", CASES[::4], ids=names)
async def test_a_call_outlives_a_stream_that_breaks_the_protocol(
    witness: Witness, case: Case
) -> None:
    async with upgraded(witness.host) as raw:
        call_sid = await witness.start(raw)
        await raw.send(case.sent)
        end = await raw.ended()
    assert end.code == case.code
    await witness.over(call_sid)
    await witness.is_well()


@pytest.mark.parametrize("case", [one for one in CASES if len(one.sent) < 100][::6], ids=names)
async def test_it_is_the_same_byte_by_byte(witness: Witness, case: Case) -> None:
    async with upgraded(witness.host) as raw:
        assert (await raw.drip(case.sent)).code == case.code
    await witness.is_well()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(frame(TEXT, KEY), id="5.6-whole"),
        pytest.param(pieces(TEXT, KEY, range(1, len(KEY))), id="5.4-every-byte-a-fragment"),
        pytest.param(pieces(TEXT, KEY, [0, 0, 5, 5]), id="5.4-empty-fragments"),
        pytest.param(pieces(TEXT, KEY, [7, 20], frame(PING, b"?")), id="5.4-pings-between"),
        pytest.param(pieces(TEXT, KEY, [7, 20], frame(PONG, b"!")), id="5.4-pongs-between"),
        pytest.param(pieces(TEXT, KEY, [KEY.index(b"\xe2") + 1]), id="8.1-a-letter-cut-in-two"),
        pytest.param(frame(TEXT, PADDED), id="10.4-as-long-as-may-be"),
        pytest.param(pieces(TEXT, PADDED, range(0, len(PADDED), 997)), id="10.4-and-in-fragments"),
        pytest.param(frame(BINARY, KEY) + frame(TEXT, KEY), id="5.6-binary-is-passed-over"),
        pytest.param(frame(TEXT) + frame(TEXT, KEY), id="5.6-empty-is-passed-over"),
        pytest.param(frame(PONG, b"unasked") + frame(TEXT, KEY), id="5.5.3-unasked-pong"),
        pytest.param(frame(PING, b"p" * 125) + frame(TEXT, KEY), id="5.5.2-the-longest-ping"),
        pytest.param(frame(TEXT, b"{}") * 290 + frame(TEXT, KEY), id="5.6-many-at-once"),
        pytest.param(frame(TEXT, KEY, length=b"\x7e" + len(KEY).to_bytes(2)), id="5.2-length-not-the-shortest"),
        pytest.param(frame(TEXT, KEY, length=b"\x7f" + len(KEY).to_bytes(8)), id="5.2-length-far-from-the-shortest"),
    ],
)  # fmt: skip
async def test_what_keeps_to_the_protocol_is_understood(witness: Witness, sent: bytes) -> None:
    async with upgraded(witness.host) as raw:
        call_sid = await witness.start(raw)
        session = witness.front.parts.switchboard.find(call_sid)
        assert session is not None
        await raw.send(sent)
        await wait_until(lambda: session.call.digits_pending == "5", description="a key is noted")
        await raw.send(close(1000))
        assert (await raw.ended()).code == 1000
    await witness.over(call_sid)
    await witness.is_well()


@pytest.mark.parametrize("code", GOOD_CODES)
async def test_a_close_is_answered_in_kind(witness: Witness, code: int) -> None:
    """RFC 6455 5.5.1."""
    async with upgraded(witness.host) as raw:
        await raw.send(close(code, b"bye"))
        end = await raw.ended()
    assert end.code == code
    assert len(end.of(CLOSE)) == 1
    await witness.is_well()


@pytest.mark.parametrize(
    "behind",
    [frame(TEXT, b"{}"), frame(PING), frame(0x3), close(1000), b"\xff" * 300],
    ids=["text", "ping", "broken", "close", "noise"],
)
async def test_nothing_counts_behind_a_close(witness: Witness, behind: bytes) -> None:
    """RFC 6455 5.5.1: the peer sends nothing more; what it sends all the same is not read."""
    async with upgraded(witness.host) as raw:
        await raw.send(frame(CLOSE) + behind)
        end = await raw.ended()
    assert (end.code, end.of(PONG), len(end.of(CLOSE))) == (1005, [], 1)
    await witness.is_well()


@pytest.mark.parametrize("body", [b"", b"x", b"\x00" * 125, "ü€😀".encode()])
async def test_a_ping_comes_back_as_it_was(witness: Witness, body: bytes) -> None:
    """RFC 6455 5.5.2, 5.5.3."""
    async with upgraded(witness.host) as raw:
        await raw.send(frame(PING, body))
        assert await raw.frame() == (PONG, body)
    await witness.is_well()


async def test_pings_are_answered_in_order(witness: Witness) -> None:
    """RFC 6455 5.5.3."""
    bodies = [b"%d" % number for number in range(100)]
    async with upgraded(witness.host) as raw:
        await raw.send(b"".join(frame(PING, body) for body in bodies) + close(1000))
        assert (await raw.ended()).of(PONG) == bodies
    await witness.is_well()


@pytest.mark.parametrize(
    "cut", [frame(TEXT, KEY)[:1], frame(TEXT, KEY)[:4], frame(TEXT, KEY)[:-1], frame(CONT)[:3]]
)
async def test_a_peer_that_goes_in_the_middle_of_a_frame_is_gone(
    witness: Witness, cut: bytes
) -> None:
    """RFC 6455 7.1.5: 1006, which is never written to the wire."""
    async with upgraded(witness.host) as raw:
        call_sid = await witness.start(raw)
        await raw.send(cut)
    await witness.over(call_sid)
    await witness.is_well()
