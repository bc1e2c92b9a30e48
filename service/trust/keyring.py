"""The keys that our tokens are signed with, one ring for each purpose. Pure.

Every process with the same auth tokens makes the same keys; a token of one purpose is none of another.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence

KEY_ID_LETTERS = 8  # enough to tell the few keys apart that are in use while one is rotated


class Keyring:
    """Signs texts for one call, and checks what was signed."""

    def __init__(self, secrets: Sequence[str], purpose: bytes) -> None:
        """Take the secrets, the newest first: it signs, all of them verify."""
        self._keys: dict[str, bytes] = {}
        self.key_id = ""
        for secret in reversed(secrets):
            key = hmac.digest(secret.encode(), purpose, "sha256")
            self.key_id = hashlib.sha256(key).hexdigest()[:KEY_ID_LETTERS]
            self._keys[self.key_id] = key

    def knows(self, key_id: str) -> bool:
        """Whether texts that this key signed are accepted."""
        return key_id in self._keys

    def signature(self, key_id: str, text: str, call_sid: str) -> str:
        """Return the signature of `text` for the call. Raises KeyError for a key that is not in use."""
        signed = f"{text}|{call_sid}".encode(errors="replace")
        return _letters(hmac.digest(self._keys[key_id], signed, "sha256"))

    def is_signed(self, key_id: str, text: str, call_sid: str, signature: str) -> bool:
        """Whether this is the signature of `text` for the call. The time it takes tells nothing."""
        mine = self.signature(key_id, text, call_sid)
        return hmac.compare_digest(mine.encode(), signature.encode(errors="replace"))


def _letters(digest: bytes) -> str:
    return urlsafe_b64encode(digest).decode().rstrip("=")
