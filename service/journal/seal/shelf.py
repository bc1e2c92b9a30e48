"""Seals what waits on a shelf for a store that is away.

Each payload stands beside the wrapped key that it was sealed with: one a process, made anew for each,
wrapped as a call's key is. So whoever finds the shelf of a process that died can read it, whatever
the store can tell then. What was on a shelf is overwritten as soon as the store has it.
"""

import os
import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.errors import SealBroken
from service.journal.limits import SEALED_MARKS
from service.journal.seal.masters import NONCE_BYTES, Masters

_OF: Final = "shelf"  # what stands for the CallSid of a shelf's key
_MARK: Final = SEALED_MARKS[0]
_LENGTH: Final = struct.Struct(">H")  # of the wrapped key that follows
_BOUND: Final = b"stayline shelf 1"


class ShelfSeal:
    """Seals and opens payloads; without `masters` they pass in clear."""

    def __init__(self, masters: Masters) -> None:
        self._masters = masters
        self._ciphers: dict[bytes, AESGCM] = {}
        self._own = b""
        if masters:
            self._own = masters.made("", _OF, since=1, now_ms=0)

    def seal(self, payload: bytes) -> bytes:
        """Return the payload as it may lie on a disk."""
        if not self._own:
            return payload
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._cipher(self._own).encrypt(nonce, payload, _BOUND)
        return b"".join((_MARK, _LENGTH.pack(len(self._own)), self._own, nonce, sealed))

    def open(self, content: bytes) -> bytes:
        """Return the payload again; one that was shelved in clear is taken, too. Raises SealBroken."""
        if not content.startswith(_MARK):
            return content
        begin = 1 + _LENGTH.size
        try:
            (length,) = _LENGTH.unpack_from(content, 1)
            wrapped, rest = content[begin : begin + length], content[begin + length :]
            return self._cipher(wrapped).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], _BOUND)
        except (InvalidTag, ValueError, struct.error):
            raise SealBroken("What was shelved is damaged, or not of this key.") from None

    def _cipher(self, wrapped: bytes) -> AESGCM:
        if wrapped not in self._ciphers:
            _, data_key = self._masters.opened(wrapped, _OF)
            self._ciphers[wrapped] = AESGCM(data_key)
        return self._ciphers[wrapped]
