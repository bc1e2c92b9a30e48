"""The recovery token: what a page keeps so that its call can be gone on with after a reload. Pure.

    R1 ──used──> R2 ──used──> R3 …        R1 is good until R2 was used once: a lost answer locks nobody out

Its text is `1.kid.expiry.parent.nonce.mac`; the call is bound by the MAC. It opens nothing by itself:
who shows it gets a stream token, and the next recovery token. What follows a token is made from it and
the name of the attempt, so that a request that is asked again has the same answer.
"""

from collections.abc import Sequence

import msgspec

from service.trust.keyring import Keyring

SPARE_MS = 300_000  # beyond the window: a page that is kept waiting is not told a half truth
SKEW_MS = 60_000  # servers' clocks may differ by this much
NONCE_LETTERS = 16  # 96 bits
TOKEN_LETTERS_MAX = 160  # the parts below, with room
FIRST = "-"  # the parent of a call's first token

_PARTS = 6


class Recovery(msgspec.Struct, frozen=True):
    """What a valid token says. `parent` is the nonce of the token before it, FIRST for none."""

    nonce: str
    parent: str
    issued_ms: int


class RecoveryMint:
    """Issues and checks recovery tokens for calls that may be away for `window_ms`."""

    def __init__(self, auth_tokens: Sequence[str], window_ms: int) -> None:
        """Take the account's auth tokens, the newest first: it signs, all of them verify."""
        self._keys = Keyring(auth_tokens, b"stayline recovery token 1")
        self._life_ms = window_ms + SPARE_MS

    def first(self, call_sid: str, nonce: str, *, now_ms: int) -> str:
        """Return a call's first token. `nonce` is NONCE_LETTERS or more random letters."""
        return self._issued(call_sid, FIRST, nonce, now_ms)

    def next(self, call_sid: str, used: Recovery, attempt: str, *, now_ms: int) -> str:
        """Return the token that follows `used`; for one attempt always the same one, but for its life."""
        key_id = self._keys.key_id
        nonce = self._keys.signature(key_id, f"next|{used.nonce}|{attempt}", call_sid)
        return self._issued(call_sid, used.nonce, nonce[:NONCE_LETTERS], now_ms)

    def read(self, token: str, call_sid: str, *, now_ms: int) -> Recovery | str:
        """Return what the token says, or one sentence on why it can't be accepted."""
        parts = token.split(".")
        is_sound = len(token) <= TOKEN_LETTERS_MAX and token.isascii()
        if not is_sound or len(parts) != _PARTS or parts[0] != "1":
            return "the recovery token is malformed"
        _, key_id, expiry, parent, nonce, mac = parts
        text = token.rpartition(".")[0]
        if not self._keys.knows(key_id) or not self._keys.is_signed(key_id, text, call_sid, mac):
            return "the recovery token is not of this call"
        # What follows was signed by us, so it is well-formed.
        expires_ms = int(expiry) * 1000
        if now_ms > expires_ms + SKEW_MS:
            return "the recovery token has expired"
        return Recovery(nonce, parent, expires_ms - self._life_ms)

    def _issued(self, call_sid: str, parent: str, nonce: str, now_ms: int) -> str:
        key_id, expiry = self._keys.key_id, (now_ms + self._life_ms) // 1000
        text = f"1.{key_id}.{expiry}.{parent}.{nonce}"
        return f"{text}.{self._keys.signature(key_id, text, call_sid)}"
