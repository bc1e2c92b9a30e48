"""Frames of the shelf's file: length, checksum, payload. A torn end is found, and what stands before it stays.

┌──────────────┬──────────────┬───────────┐
│ length, 4 B  │ CRC-32, 4 B  │ payload … │   big-endian, one after the other
└──────────────┴──────────────┴───────────┘
"""

import struct
from binascii import crc32
from typing import Final, NamedTuple

from service.journal.limits import APPEND_BYTES_MAX, APPEND_RECORDS_MAX

_HEAD: Final = struct.Struct(">II")
FRAME_BYTES_MAX: Final = APPEND_BYTES_MAX + 16 * APPEND_RECORDS_MAX + 4_096  # one whole append


class Frames(NamedTuple):
    """What a file holds: its payloads, and how many of its bytes are sound."""

    payloads: tuple[bytes, ...]
    sound_bytes: int


def framed(payload: bytes) -> bytes:
    """Return the payload in its frame."""
    return _HEAD.pack(len(payload), crc32(payload)) + payload


def unframed(content: bytes) -> Frames:
    """Return every payload up to the first frame that is torn or damaged."""
    payloads: list[bytes] = []
    place = 0
    while place + _HEAD.size <= len(content):
        length, checksum = _HEAD.unpack_from(content, place)
        begin, end = place + _HEAD.size, place + _HEAD.size + length
        if length > FRAME_BYTES_MAX or end > len(content):
            break
        payload = content[begin:end]
        if crc32(payload) != checksum:
            break
        payloads.append(payload)
        place = end
    return Frames(tuple(payloads), place)
