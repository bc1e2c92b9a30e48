"""Bytes that break RFC 6455 after the handshake, each named after the section that it breaks.

A case is what is sent, and the code that the server closes with; the sections say why.
"""

import struct
from dataclasses import dataclass

from service.protocol.messages import MESSAGE_BYTES_MAX
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
)

PROTOCOL, NOT_TEXT, TOO_MUCH, TOO_BIG = 1002, 1007, 1008, 1009

# Some of what Kuhn's stress test of UTF-8 decoders calls malformed.
NO_TEXTS = {
    "lone-continuation": b"\x80",
    "continuation-after-ascii": b"ab\xbfcd",
    "two-continuations": b"\x80\xbf",
    "start-without-rest-2": b"\xc3",
    "start-without-rest-3": b"\xe2\x82",
    "start-without-rest-4": b"\xf0\x9f\x98",
    "start-then-ascii": b"\xc3(",
    "overlong-slash-2": b"\xc0\xaf",
    "overlong-slash-3": b"\xe0\x80\xaf",
    "overlong-slash-4": b"\xf0\x80\x80\xaf",
    "overlong-nul": b"\xc0\x80",
    "overlong-last": b"\xe0\x9f\xbf",
    "surrogate-high": b"\xed\xa0\x80",
    "surrogate-low": b"\xed\xbf\xbf",
    "surrogate-pair": b"\xed\xa0\x81\xed\xb0\x80",
    "over-10ffff": b"\xf4\x90\x80\x80",
    "five-bytes": b"\xf8\x88\x80\x80\x80",
    "six-bytes": b"\xfc\x84\x80\x80\x80\x80",
    "fe": b"\xfe",
    "ff": b"\xff",
    "autobahn-6.4.1": b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80edited",
    "at-the-end-of-much": b"x" * 4_000 + b"\xed\xa0\x80",
}
# 7.4.1 and 7.4.2: not for the wire, not given out, or of no range at all.
NO_CODES = (0, 1, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535)


@dataclass(frozen=True)
class Case:
    """One way to break the protocol."""

    name: str
    sent: bytes
    code: int


def cases() -> list[Case]:
    """Return all of them."""
    return [*_headers(), *_controls(), *_fragments(), *_sizes(), *_texts(), *_closes()]


def _headers() -> list[Case]:
    kinds = {"text": TEXT, "binary": BINARY, "ping": PING, "pong": PONG, "close": CLOSE}
    reserved = [
        Case(f"5.2 rsv={rsv} {name}", frame(kind, b"{}", rsv=rsv), PROTOCOL)
        for rsv in range(1, 8)
        for name, kind in kinds.items()
        if rsv in (1, 2, 4) or kind in (TEXT, PING)
    ]
    unknown = [
        Case(f"5.2 opcode={opcode:X} {name}", frame(opcode, body), PROTOCOL)
        for opcode in (*range(0x3, 0x8), *range(0xB, 0x10))
        for name, body in (("empty", b""), ("full", b"{}"))
    ]
    unmasked = [
        Case(f"5.1 unmasked {name}", frame(kind, b"", masked=False), PROTOCOL)
        for name, kind in kinds.items()
    ]
    later = [
        Case("5.2 rsv in a continuation", frame(TEXT, b"{", fin=False) + frame(CONT, b"}", rsv=4), PROTOCOL),
        Case("5.1 unmasked continuation", frame(TEXT, b"{", fin=False) + frame(CONT, b"}", masked=False), PROTOCOL),
        Case("5.2 opcode after a good frame", frame(PING) + frame(0x3), PROTOCOL),
        Case("9.1 a compressed frame that nobody agreed on", frame(TEXT, b"\xaa\x56\x4a\x04\x00", rsv=4), PROTOCOL),
    ]  # fmt: skip
    return [*reserved, *unknown, *unmasked, *later]


def _controls() -> list[Case]:
    made = []
    for name, kind in (("ping", PING), ("pong", PONG), ("close", CLOSE)):
        body = struct.pack("!H", 1000) if kind == CLOSE else b""
        made += [
            Case(f"5.5 {name} of 126 bytes", frame(kind, body.ljust(126, b"x")), PROTOCOL),
            Case(f"5.5 {name} of 65,536 bytes", frame(kind, body.ljust(65_536, b"x")), PROTOCOL),
            Case(f"5.4 fragmented {name}", frame(kind, body, fin=False) + frame(CONT), PROTOCOL),
            Case(
                f"5.5 fragmented {name} inside a message",
                frame(TEXT, b"{", fin=False) + frame(kind, body, fin=False),
                PROTOCOL,
            ),
        ]
    return made


def _fragments() -> list[Case]:
    begun = frame(TEXT, b'{"event":', fin=False)
    return [
        Case("5.4 continuation of nothing", frame(CONT, b"{}"), PROTOCOL),
        Case("5.4 unfinished continuation of nothing", frame(CONT, b"{}", fin=False), PROTOCOL),
        Case("5.4 empty continuation of nothing", frame(CONT), PROTOCOL),
        Case("5.4 continuation after a whole message", frame(TEXT, b"{}") + frame(CONT), PROTOCOL),
        Case("5.4 text inside a text", begun + frame(TEXT, b"{}"), PROTOCOL),
        Case("5.4 binary inside a text", begun + frame(BINARY, b"{}"), PROTOCOL),
        Case("5.4 text inside a binary", frame(BINARY, b"", fin=False) + frame(TEXT), PROTOCOL),
        Case("5.4 a second start of a text", begun + begun, PROTOCOL),
        Case("5.4 text after pings inside a text", begun + frame(PING) * 3 + begun, PROTOCOL),
        Case("5.4 continuation after the last", pieces(TEXT, b"{}", [1]) + frame(CONT), PROTOCOL),
        Case("5.5.1 close inside a message", begun + close(1000), PROTOCOL),
    ]


def _sizes() -> list[Case]:
    most = MESSAGE_BYTES_MAX
    half = b"x" * (most // 2)
    return [
        Case("10.4 text of one byte too many", frame(TEXT, b"x" * (most + 1)), TOO_BIG),
        Case("10.4 binary of one byte too many", frame(BINARY, b"x" * (most + 1)), TOO_BIG),
        Case("10.4 fragments of one byte too many", pieces(TEXT, half * 2 + b"x", [9, most]), TOO_BIG),
        Case("10.4 many small fragments", pieces(TEXT, b"x" * (most + 1), range(256, most, 256)), TOO_BIG),
        Case("10.4 too many small fragments", pieces(TEXT, b"x" * most, range(64, most, 64)), TOO_MUCH),
        Case("10.4 too many messages", frame(TEXT, b"{}") * 1_000, TOO_MUCH),
        Case("10.4 too many pings", frame(PING) * 1_000, TOO_MUCH),
        Case("10.4 too many large messages", frame(TEXT, b"x" * most) * 9, TOO_MUCH),
        Case("10.4 two halves and a header", frame(TEXT, half, fin=False) + frame(CONT, half + b"x", fin=False), TOO_BIG),
        Case("10.4 16 MiB announced", frame(TEXT, length=b"\x7f" + struct.pack("!Q", 1 << 24)), TOO_BIG),
        Case("10.4 4 GiB announced", frame(TEXT, length=b"\x7f" + struct.pack("!Q", 1 << 32)), TOO_BIG),
        Case("10.4 as much as 63 bits say", frame(BINARY, length=b"\x7f\x7f" + b"\xff" * 7), TOO_BIG),
        Case("10.4 1 TiB of continuation", frame(TEXT, fin=False) + frame(CONT, length=b"\x7f" + struct.pack("!Q", 1 << 40)), TOO_BIG),
        Case("5.2 the length's first bit set", frame(TEXT, length=b"\x7f\x80" + b"\x00" * 7), TOO_BIG),
    ]  # fmt: skip


def _texts() -> list[Case]:
    whole = [Case(f"8.1 {name}", frame(TEXT, raw), NOT_TEXT) for name, raw in NO_TEXTS.items()]
    cut = [
        Case(f"8.1 {name} in two frames", pieces(TEXT, raw, [len(raw) // 2 or 1]), NOT_TEXT)
        for name, raw in NO_TEXTS.items()
        if len(raw) > 2
    ]
    return [
        *whole,
        *cut,
        Case("8.1 no text, and a close behind it", frame(TEXT, b"\xff") + close(1000), NOT_TEXT),
        Case("8.1 no text, and text behind it", frame(TEXT, b"\xff") + frame(TEXT, b"{}"), NOT_TEXT),
        Case("8.1 no text, twice", frame(TEXT, b"\xff") * 2, NOT_TEXT),
        Case("8.1 no text, and a broken frame behind it", frame(TEXT, b"\xff") + frame(0x3), NOT_TEXT),
        Case("8.1 a letter ends with its message", pieces(TEXT, b"\xe2\x82", [1], frame(PING)), NOT_TEXT),
    ]  # fmt: skip


def _closes() -> list[Case]:
    return [
        *(Case(f"7.4 close code {code}", close(code), PROTOCOL) for code in NO_CODES),
        *(
            Case(f"7.1.6 reason: {name}", close(1000, NO_TEXTS[name]), NOT_TEXT)
            for name in ("lone-continuation", "surrogate-high", "overlong-nul", "over-10ffff")
        ),
        Case("5.5.1 close of one byte", frame(CLOSE, b"\x03"), PROTOCOL),
        Case("7.4 bad code with a reason", close(1005, b"bye"), PROTOCOL),
        Case("7.4 bad code after a ping", frame(PING, b"a") + close(1006), PROTOCOL),
    ]
