"""Keys for tests: fixed, and telling nobody anything."""

from hashlib import sha256

from service.trust.sealkeys import SealKey


def seal_key(kid: str) -> SealKey:
    """Return the key of that name, the same one every time; `tenant/kid` is a tenant's own."""
    tenant, slash, _ = kid.partition("/")
    return SealKey(kid, tenant if slash else "", sha256(kid.encode()).digest())


KEY = seal_key("k1")
