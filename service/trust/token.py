"""The stream token: a short-lived, signed proof that a media socket belongs to a call of ours.

It travels as a `<Parameter>`, because Twilio drops the query string of a stream's URL. Its text is
`1.kid.door.known.expiry.nonce.mac`; the CallSid is bound by the MAC and not repeated. That a token is
used only once is the journal's promise (`spend`), since only the store is shared by all processes.

Behind the random letters the nonce tells how far past that second the token expires, and when its call was
opened, `letters@milliseconds~seconds`, so that the oldest call can go first without a look at the store. To a
server that knows nothing of it, it is a nonce.
"""

from collections.abc import Sequence

import msgspec

from service.trust.keyring import Keyring

LIFE_MS = 60_000  # Twilio opens the stream within two seconds of reading the TwiML
SKEW_MS = 60_000  # servers' clocks may differ by this much; a token is good for that much longer
TOKEN_LETTERS_MAX = 200  # leaves room in the 500 characters of a <Parameter>
REDIAL_WINDOW_MS = 60_000  # a peer that dials again by itself gives up after 30 s
REDIALS_MAX = 5  # further uses of one token, all by the same stream
FRESH_MS = 1_000  # a carrier dials within half of it, and waits all of it before it dials once more

EAR = "ear"  # the door of a stream that only listens; no other stream may come with such a token
BROWSER = "browser"  # the door of a call from a page, new or coming back: never the carrier's

_DOORS = {"v": "voice", "r": "resume", "e": EAR, "b": BROWSER}
_PAST, _OPENED = "@", "~"  # no letters of a nonce


class Token(msgspec.Struct, frozen=True):
    """What a valid token says: where it was issued, and whether the call was known there.

    `nonce` is what is spent. `opened_s` is when the call was opened, in seconds since the epoch, 0 when
    the token does not tell.
    """

    door: str
    is_known: bool
    nonce: str
    expires_ms: int
    opened_s: int = 0

    @property
    def issued_ms(self) -> int:
        """When it was issued, by its issuer's clock."""
        return self.expires_ms - LIFE_MS

    def is_fresh(self, now_ms: int) -> bool:
        """Whether it was issued so short a time ago that no stream can have come with it before this one.

        Of another server's token that is as true as their two clocks agree, to half of FRESH_MS.
        """
        return abs(now_ms - self.issued_ms) <= FRESH_MS


class TokenMint:
    """Issues and checks tokens. Every process with the same auth tokens makes the same keys."""

    def __init__(self, auth_tokens: Sequence[str]) -> None:
        """Take the account's auth tokens, the newest first: it signs, all of them verify."""
        self._keys = Keyring(auth_tokens, b"stayline stream token 1")

    def issue(
        self,
        call_sid: str,
        *,
        door: str,
        is_known: bool,
        nonce: str,
        now_ms: int,
        opened_ms: int = 0,
    ) -> str:
        """Return a token for one stream of `call_sid`. `nonce` is 16 or more random letters.

        `opened_ms` is when the call was opened, 0 when nobody knows.
        """
        letter = next(letter for letter, name in _DOORS.items() if name == door)
        expiry, past_ms = divmod(now_ms + LIFE_MS, 1000)
        past = f"{_PAST}{past_ms}" if past_ms else ""
        since = f"{_OPENED}{opened_ms // 1000}" if opened_ms else ""
        key_id = self._keys.key_id
        text = f"1.{key_id}.{letter}.{int(is_known)}.{expiry}.{nonce}{past}{since}"
        return f"{text}.{self._keys.signature(key_id, text, call_sid)}"

    def read(self, token: str, call_sid: str, *, now_ms: int) -> Token | str:
        """Return what the token says, or one sentence on why it can't be accepted."""
        if not token:
            return "the stream brought no token"
        parts = token.split(".")
        is_sound = len(token) <= TOKEN_LETTERS_MAX and token.isascii()
        if not is_sound or len(parts) != 7 or parts[0] != "1":  # noqa: PLR2004 - the format's own count
            return "the token is malformed"
        _, key_id, letter, known, expiry, nonce, mac = parts
        if not self._keys.knows(key_id):
            return "the token was signed with a key that is not in use"
        text = token.rpartition(".")[0]
        if not self._keys.is_signed(key_id, text, call_sid, mac):
            return "the token does not belong to this call"
        # What follows was signed by us, so it is well-formed.
        letters, _, opened_s = nonce.partition(_OPENED)
        expires_ms = int(expiry) * 1000 + int(letters.partition(_PAST)[2] or 0)
        if now_ms > expires_ms + SKEW_MS:
            return "the token has expired"
        if expires_ms > now_ms + LIFE_MS + SKEW_MS:
            return "the token is from the future"
        return Token(_DOORS[letter], known == "1", nonce, expires_ms, int(opened_s or 0))
