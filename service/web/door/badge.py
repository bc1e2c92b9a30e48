"""The badge: the cookie of a person who has signed in. Any server can read it, and none has to keep it.

Its text is `1.id.expiry.nonce.mac`: which API token it stands for (a hash that tells nothing), until when in
seconds since the epoch, a nonce of its own, and a MAC keyed by that API token. So whoever takes a token out
of API_TOKENS ends what was signed in with it.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from service.trust.api_token import ApiToken

COOKIE = "stayline"
LIFE_S = 12 * 3_600  # a long shift; after it somebody signs in again
BADGE_LETTERS_MAX = 200  # ours have 90
NONCE_LETTERS_MAX = 40
_PARTS = 5


@dataclass(frozen=True, kw_only=True)
class Badge:
    """What a valid badge says: for which API token, whose badge, until when."""

    token: ApiToken
    nonce: str
    expires_ms: int


class BadgeMint:
    """Makes and reads badges. Every process with the same API tokens reads the same."""

    def __init__(self, tokens: Sequence[ApiToken]) -> None:
        self._tokens = {_named(token): token for token in tokens}

    def issue(self, token: ApiToken, *, nonce: str, now_ms: int) -> str:
        """Return the cookie's text: letters, digits, `-`, `_` and dots."""
        told = f"1.{_named(token)}.{now_ms // 1000 + LIFE_S}.{nonce}"
        return f"{told}.{_mac(token, told)}"

    def read(self, text: str, *, now_ms: int) -> Badge | None:
        """Return what the badge says, or None when it isn't ours, was changed, or is over."""
        parts = text.split(".")
        if len(text) > BADGE_LETTERS_MAX or len(parts) != _PARTS or not text.isascii():
            return None
        version, name, expiry, nonce, mac = parts
        token = self._tokens.get(name)
        if version != "1" or token is None or not expiry.isdigit() or not nonce:
            return None
        told = text.rpartition(".")[0]
        if not hmac.compare_digest(_mac(token, told), mac):
            return None
        expires_ms = int(expiry) * 1000
        if now_ms >= expires_ms:
            return None
        return Badge(token=token, nonce=nonce, expires_ms=expires_ms)


def _named(token: ApiToken) -> str:
    return hashlib.sha256(b"stayline api token 1\0" + token.token.encode()).hexdigest()[:16]


def _mac(token: ApiToken, told: str) -> str:
    key = hmac.digest(token.token.encode(), b"stayline badge 1", "sha256")
    # Role and tenant are in it, so that a token that was made less is not more for twelve hours.
    whole = f"{told}\0{token.role}\0{token.tenant}".encode()
    return urlsafe_b64encode(hmac.digest(key, whole, "sha256")).decode().rstrip("=")
