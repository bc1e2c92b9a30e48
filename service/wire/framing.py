"""A client's frames, cut out of its bytes: whole texts at once, everything else for a full parser (RFC 6455 5.2).

    bytes ──┬─ a text in one masked frame ──> bytes, its payload      nearly all that a carrier sends
            └─ any other frame, whole ──────> Raw, as it came         pings, closes, fragments, faults

A server's own texts are put into frames here, too.

Sans-I/O. A media stream brings fifty small texts a second, and a parser that knows the whole protocol costs
ten times what it takes to find their ends. Rules kept here:

1. The parser is given whole frames only, or everything from a frame on that breaks a rule or a limit. So it
   always stands between two frames, and its verdict is the only one.
2. While a message comes in fragments, a text is the parser's too: it is a fault there.
3. What is kept is less than one frame of `message_max`; of a longer one the head is passed on at once.
"""

import struct

from service.wire.piece import Piece, Raw

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform for which there is no compiled part
    from websockets.utils import apply_mask

TEXT = 0x81  # FIN and the opcode of a text
MASKED = 0x80
LENGTH, LENGTH_16, LENGTH_64 = 0x7F, 126, 127
HEAD_MIN, SIZE_16, SIZE_64, KEY = 2, 2, 8, 4
MEDIUM_TEXT = TEXT << 8 | MASKED | LENGTH_16
MEDIUM_HEAD = HEAD_MIN + SIZE_16 + KEY
FIN, OPCODE = 0x80, 0x0F
CONTINUED, BINARY = 0, 2  # opcodes up to BINARY carry messages; those above control

_medium_head = struct.Struct("!HH4s").unpack_from  # opcode and kind of length; the length; the key


class Framing:
    """One connection's inbound bytes, from the end of the handshake on."""

    __slots__ = ("_is_amid", "_is_between", "_is_over", "_max", "_rest")

    def __init__(self, message_max: int) -> None:
        self._max = message_max
        self._rest = b""
        self._is_over = False  # the parser has the rest
        self._is_amid = False  # of a message in fragments
        self._is_between = True  # two messages: what comes begins the next one

    def whole(self, data: bytes) -> bytes | None:
        """Take what came if it is a text in one frame of medium length, as audio is: return its payload.

        None: it is something else, and was not taken; see `feed`.
        """
        if not self._is_between or len(data) <= MEDIUM_HEAD:
            return None
        head, length, key = _medium_head(data)
        if head != MEDIUM_TEXT or length != len(data) - MEDIUM_HEAD or length > self._max:
            return None
        return apply_mask(data[MEDIUM_HEAD:], key)

    def feed(self, data: bytes) -> list[Piece]:
        """Take what came, and return what is whole now, in order."""
        if self._rest:
            data = self._rest + data
        elif self._is_over:
            return [Raw(data)]
        at, end = 0, len(data)
        pieces: list[Piece] = []
        while end - at >= HEAD_MIN:
            if end - at > MEDIUM_HEAD and not self._is_amid:
                # Of audio that comes in bursts each frame is one; what follows is the general case.
                head, length, key = _medium_head(data, at)
                begin = at + MEDIUM_HEAD
                stop = begin + length
                if head == MEDIUM_TEXT and stop <= end and 0 < length <= self._max:
                    pieces.append(apply_mask(data[begin:stop], key))
                    at = stop
                    continue
            stop = self._any(data, at, pieces)
            if stop == at:
                break
            at = stop
        self._rest = data[at:]
        self._is_between = not (self._rest or self._is_over or self._is_amid)
        return pieces

    def _any(self, data: bytes, at: int, pieces: list[Piece]) -> int:
        """Take the frame at `at`, of any kind; return where it ends, or `at` while it is not whole."""
        begin, length = _body(data, at)
        if begin < 0:
            return at  # of the length itself there is more to come
        if length > self._max or not data[at + 1] & MASKED:
            self._is_over = True
            pieces.append(Raw(data[at:]))
            return len(data)
        if begin + length > len(data):
            return at
        pieces.append(self._piece(data, at, begin, begin + length))
        return begin + length

    def _piece(self, data: bytes, at: int, begin: int, end: int) -> Piece:
        if data[at] == TEXT and not self._is_amid:
            return apply_mask(data[begin:end], data[begin - KEY : begin])
        if data[at] & OPCODE <= BINARY:
            self._is_amid = not data[at] & FIN
        return Raw(data[at:end])


def framed(text: str) -> bytes:
    """Return a text in the one frame in which a server sends it: whole and unmasked."""
    payload = text.encode()
    length = len(payload)
    if length < LENGTH_16:
        return bytes((TEXT, length)) + payload
    if length < 1 << (8 * SIZE_16):
        return bytes((TEXT, LENGTH_16)) + length.to_bytes(SIZE_16, "big") + payload
    return bytes((TEXT, LENGTH_64)) + length.to_bytes(SIZE_64, "big") + payload


def _body(data: bytes, at: int) -> tuple[int, int]:
    """Return where the payload of the frame at `at` begins, and its length; -1 while that isn't known."""
    length = data[at + 1] & LENGTH
    if length < LENGTH_16:
        return at + HEAD_MIN + KEY, length
    size = SIZE_16 if length == LENGTH_16 else SIZE_64
    if len(data) < at + HEAD_MIN + size:
        return -1, 0
    told = int.from_bytes(data[at + HEAD_MIN : at + HEAD_MIN + size], "big")
    return at + HEAD_MIN + size + KEY, told
