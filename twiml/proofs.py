"""Whether a webhook of another carrier was signed for us, as each of them documents it.

    Telnyx    Ed25519 over `timestamp|body`                       telnyx-signature-ed25519, telnyx-timestamp
    Plivo     HMAC-SHA256 over URL, sorted fields and `.nonce`    x-plivo-signature-v3, …-nonce
    SignalWire, with forms, signs as Twilio does: see signature.py.

No input raises: whatever is missing, garbled or not ASCII is simply not a valid signature.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TELNYX_AGE_S_MAX = 300  # what their own libraries tolerate: clocks differ, requests are retried
_SECONDS = re.compile("[0-9]{1,11}")  # until the year 5138
_KEY_BYTES = 32
_SIGNATURES_MAX = 8  # Plivo sends one for each token that counts; a rotation has two


class TelnyxProof:
    """Checks against an account's public key, base64 as the portal shows it. ValueError for what is none."""

    def __init__(self, public_key: str) -> None:
        try:
            raw = base64.b64decode(public_key, validate=True)
        except (binascii.Error, ValueError) as trouble:
            raise ValueError("A public key of Telnyx is base64.") from trouble
        if len(raw) != _KEY_BYTES:
            raise ValueError(f"A public key of Telnyx has {_KEY_BYTES} bytes.")
        self._key = Ed25519PublicKey.from_public_bytes(raw)

    def is_signed(self, body: bytes, signature: str, timestamp: str, now_ms: int) -> bool:
        """Check a request of at most TELNYX_AGE_S_MAX ago, or as much ahead of our clock."""
        if not _SECONDS.fullmatch(timestamp):
            return False
        if abs(now_ms // 1000 - int(timestamp)) > TELNYX_AGE_S_MAX:
            return False
        try:
            given = base64.b64decode(signature, validate=True)
            self._key.verify(given, timestamp.encode() + b"|" + body)
        except (InvalidSignature, ValueError):
            return False
        return True


def plivo_signed(
    auth_tokens: Sequence[str],
    url: str,
    fields: Sequence[tuple[str, str]],
    *,
    nonce: str,
    signatures: str,
) -> bool:
    """Check a POST to `url`, its query included; `signatures` is a comma list, any of which may fit."""
    text = f"{_joined(url, fields)}.{nonce}".encode(errors="surrogatepass")
    made = [
        base64.b64encode(hmac.digest(_bytes(token), text, hashlib.sha256)) for token in auth_tokens
    ]
    given = [_bytes(one.strip()) for one in signatures.split(",")[:_SIGNATURES_MAX]]
    return any(hmac.compare_digest(ours, theirs) for ours in made for theirs in given)


def _joined(url: str, fields: Sequence[tuple[str, str]]) -> str:
    path, _, query = url.partition("?")
    asked = "&".join(f"{k}={v}" for k, v in sorted(parse_qsl(query, keep_blank_values=True)))
    posted = "".join(f"{k}{v}" for k, v in sorted(fields))
    if not (asked or posted):
        return path
    return f"{path}?{asked}{'.' if asked and posted else ''}{posted}"


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
