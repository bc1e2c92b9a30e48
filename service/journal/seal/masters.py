"""The master keys, and what they wrap: the keys of calls. Pure, but for the chance that makes a key.

    SEAL_KEYS ──> master key (by tenant, newest first) ──wraps──> data key of one call ──seals──> its records

A wrapped key says in clear whose it is, which master opens it, and from which position on every record
must be sealed. All of that is bound to it: none of it can be changed, or put with another call's key.
"""

import hmac
import secrets
from collections.abc import Sequence

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import replace

from service.errors import SealBroken
from service.trust.sealkeys import KEY_BYTES, SealKey

NONCE_BYTES = 12  # GCM's own size: 2**96 of them
NAME_LETTERS = 32  # of a name's digest: 128 bits
_FORMAT = 1
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


class WrappedKey(msgspec.Struct, frozen=True, array_like=True):
    """A call's data key as it is kept: sealed by the master that `kid` names."""

    format: int
    kid: str
    tenant: str
    call_sid: str
    since: (
        int  # records from this position on are sealed; those before may be of a time without keys
    )
    made_ms: int
    box: bytes  # nonce, and the data key sealed
    before: bytes = b""  # the kept key of what stands before `since`, when that could not be opened

    def bound(self) -> bytes:
        """Return what the box is bound to: all but the box and its master's name."""
        told = ("key", self.format, self.tenant, self.call_sid, self.since, self.made_ms)
        return msgspec.msgpack.encode(told)


_decoder = msgspec.msgpack.Decoder(WrappedKey)


class Masters:
    """The master keys of all tenants, as SEAL_KEYS has them. Without any, nothing is sealed."""

    def __init__(self, keys: Sequence[SealKey]) -> None:
        self._ciphers = {key.kid: AESGCM(key.secret) for key in keys}
        self._tenants = {key.kid: key.tenant for key in keys}
        self._newest: dict[str, str] = {}
        for key in keys:
            self._newest.setdefault(key.tenant, key.kid)
        common = [key for key in keys if not key.tenant]
        self._names = [hmac.digest(key.secret, b"stayline names 1", "sha256") for key in common]

    def __bool__(self) -> bool:
        return bool(self._ciphers)

    def newest(self, tenant: str) -> str:
        """Return the name of the key that wraps for this tenant now."""
        return self._newest.get(tenant) or self._newest[""]

    def made(
        self, tenant: str, call_sid: str, *, since: int, now_ms: int, before: bytes = b""
    ) -> bytes:
        """Make a data key and return it wrapped, with the kept key that it follows."""
        kept = WrappedKey(_FORMAT, "", tenant, call_sid, since, now_ms, b"", before)
        return self._wrapped(kept, secrets.token_bytes(KEY_BYTES))

    def opened(self, wrapped: bytes, call_sid: str) -> tuple[WrappedKey, bytes]:
        """Return what is kept of the call's key, and the key. Raises SealBroken."""
        kept = read(wrapped)
        if kept is None or kept.format != _FORMAT:
            raise SealBroken(f"The key of call {call_sid} is damaged, or of a newer version.")
        if kept.call_sid != call_sid:
            raise SealBroken(f"What is kept as the key of call {call_sid} is another call's.")
        cipher = self._ciphers.get(kept.kid)
        if cipher is None:
            raise SealBroken(f"Call {call_sid} is sealed, and SEAL_KEYS has no key {kept.kid!r}.")
        if self._tenants[kept.kid] not in ("", kept.tenant):
            raise SealBroken(f"The key of call {call_sid} is wrapped by another tenant's.")
        try:
            nonce, box = kept.box[:NONCE_BYTES], kept.box[NONCE_BYTES:]
            return kept, cipher.decrypt(nonce, box, kept.bound())
        except (InvalidTag, ValueError):
            raise SealBroken(
                f"The key of call {call_sid} does not fit {kept.kid!r} of SEAL_KEYS."
            ) from None

    def rewrapped(self, wrapped: bytes, call_sid: str) -> bytes | None:
        """Return the key under its tenant's newest master; None when it is. Raises SealBroken."""
        kept, data_key = self.opened(wrapped, call_sid)
        before = self._rewrapped_before(kept.before, call_sid)
        if kept.kid == self.newest(kept.tenant) and before == kept.before:
            return None
        return self._wrapped(replace(kept, before=before), data_key)

    def names(self, name: str) -> list[str]:
        """Return what stands for a name in a store: under the newest key first, then the older ones.

        Without the key nobody can try all telephone numbers to find out which is meant.
        """
        digests = (hmac.digest(key, name.encode(), "sha256") for key in self._names)
        return [f"sealed:{digest.hex()[:NAME_LETTERS]}" for digest in digests]

    def _rewrapped_before(self, before: bytes, call_sid: str) -> bytes:
        """Return the key before under the newest master; one that can't be opened stays as it is."""
        try:
            return (self.rewrapped(before, call_sid) if before else None) or before
        except SealBroken:
            return before

    def _wrapped(self, kept: WrappedKey, data_key: bytes) -> bytes:
        kid = self.newest(kept.tenant)
        nonce = secrets.token_bytes(NONCE_BYTES)
        box = nonce + self._ciphers[kid].encrypt(nonce, data_key, kept.bound())
        return msgspec.msgpack.encode(replace(kept, kid=kid, box=box))


def read(wrapped: bytes) -> WrappedKey | None:
    """Return what a kept key says in clear; None for bytes that are none."""
    try:
        return _decoder.decode(wrapped)
    except _UNREADABLE:
        return None
