"""S-7: a call's key is wrapped by its tenant's newest master, and bound to what is said of it."""

import hmac

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import replace

from service.errors import SealBroken
from service.journal.seal.masters import Masters, WrappedKey, read
from service.trust.sealkeys import SealKey
from tests.journal.sealing import seal_key

CALL = "CA1"
OLD, NEW, ACME = seal_key("k1"), seal_key("k2"), seal_key("acme/a1")


def made(masters: Masters, tenant: str = "", call_sid: str = CALL) -> bytes:
    return masters.made(tenant, call_sid, since=1, now_ms=5)


def test_a_wrapped_key_opens_and_says_whose_it_is() -> None:
    masters = Masters([NEW, OLD])
    kept, data_key = masters.opened(made(masters), CALL)
    assert (kept.kid, kept.tenant, kept.since, kept.made_ms) == ("k2", "", 1, 5)
    assert len(data_key) == 32
    assert masters.opened(made(masters), CALL)[1] != data_key


def test_a_wrapped_key_opens_with_the_cipher_and_the_layout_alone() -> None:
    """S-7: another version must open what this one wrapped, so that the layout stands here once more."""
    masters = Masters([NEW, OLD])
    wrapped = masters.made("acme", CALL, since=3, now_ms=5, before=b"earlier")
    version, kid, *said, box, before = msgspec.msgpack.decode(wrapped)
    assert (version, kid, said, before) == (1, "k2", ["acme", CALL, 3, 5], b"earlier")
    bound = msgspec.msgpack.encode(("key", 1, *said))
    data_key = AESGCM(NEW.secret).decrypt(box[:12], box[12:], bound)
    assert (masters.opened(wrapped, CALL)[1], len(box)) == (data_key, 12 + 32 + 16)
    assert read_key(made(masters)).before == b""
    digest = hmac.digest(OLD.secret, b"stayline names 1", "sha256")
    named = hmac.digest(digest, b"from:+44", "sha256").hex()[:32]
    assert masters.names("from:+44")[1] == f"sealed:{named}"


def read_key(wrapped: bytes) -> WrappedKey:
    kept = read(wrapped)
    assert kept is not None
    return kept


def wrapped_by(key: SealKey, tenant: str, version: int = 1) -> bytes:
    """Wrap a key with a master of one's choice, all that is said of it bound as it must be."""
    nonce, said = bytes(12), [tenant, CALL, 1, 5]
    bound = msgspec.msgpack.encode(["key", version, *said])
    box = nonce + AESGCM(key.secret).encrypt(nonce, bytes(32), bound)
    return msgspec.msgpack.encode([version, key.kid, *said, box, b""])


def test_a_key_is_opened_by_its_own_tenants_master_or_the_one_of_all() -> None:
    masters = Masters([NEW, OLD, ACME])
    for key, tenant in ((OLD, ""), (OLD, "acme"), (ACME, "acme")):
        assert masters.opened(wrapped_by(key, tenant), CALL)[1] == bytes(32)
    for tenant in ("", "other"):
        with pytest.raises(SealBroken) as caught:
            masters.opened(wrapped_by(ACME, tenant), CALL)
        assert str(caught.value) == "The key of call CA1 is wrapped by another tenant's."


def test_a_key_of_before_there_were_keys_before_it_has_none() -> None:
    *said, _ = msgspec.msgpack.decode(wrapped_by(OLD, ""))
    kept, data_key = Masters([OLD]).opened(msgspec.msgpack.encode(said), CALL)
    assert (kept.before, data_key) == (b"", bytes(32))


@pytest.mark.parametrize("wrapped", [b"", wrapped_by(OLD, "", version=2)])
def test_a_key_of_another_layout_is_said_to_be_one(wrapped: bytes) -> None:
    with pytest.raises(SealBroken) as caught:
        Masters([OLD]).opened(wrapped, CALL)
    assert str(caught.value) == "The key of call CA1 is damaged, or of a newer version."


def test_the_key_of_what_stood_before_is_wrapped_anew_with_it() -> None:
    """And one that can't be opened stays as it is: its master may come back."""
    both, lost = Masters([NEW, OLD]), wrapped_by(ACME, "acme")
    for before, is_open in ((made(Masters([OLD])), True), (lost, False), (b"\0", False)):
        wrapped = both.made("", CALL, since=4, now_ms=5, before=before)
        anew = both.rewrapped(wrapped, CALL)
        assert (anew is not None) == is_open
        if anew is not None:
            kept = read_key(anew)
            assert (kept.kid, read_key(kept.before).kid) == ("k2", "k2")
            assert both.opened(anew, CALL)[1] == both.opened(wrapped, CALL)[1]
            assert both.opened(kept.before, CALL)[1] == both.opened(before, CALL)[1]
            assert both.rewrapped(anew, CALL) is None
    older = Masters([OLD]).made("", CALL, since=4, now_ms=5, before=lost)
    anew = both.rewrapped(older, CALL)
    assert anew is not None
    assert read_key(anew).before == lost


def test_a_tenant_with_a_key_of_its_own_has_that() -> None:
    masters = Masters([NEW, ACME])
    assert masters.newest("acme") == "acme/a1"
    assert masters.newest("other") == masters.newest("") == "k2"
    kept, _ = masters.opened(made(masters, "acme"), CALL)
    assert kept.kid == "acme/a1"


def test_a_key_whose_master_is_gone_says_which() -> None:
    with pytest.raises(SealBroken) as caught:
        Masters([NEW]).opened(made(Masters([OLD])), CALL)
    assert str(caught.value) == "Call CA1 is sealed, and SEAL_KEYS has no key 'k1'."


def test_a_master_of_the_same_name_but_another_secret_does_not_fit() -> None:
    impostor = SealKey(OLD.kid, OLD.tenant, NEW.secret)
    with pytest.raises(SealBroken) as caught:
        Masters([impostor]).opened(made(Masters([OLD])), CALL)
    assert str(caught.value) == "The key of call CA1 does not fit 'k1' of SEAL_KEYS."


def test_nothing_that_is_said_of_a_key_can_be_changed() -> None:
    masters = Masters([NEW, OLD, ACME])
    kept = read(made(masters))
    assert kept is not None
    changed = (
        replace(kept, since=2),
        replace(kept, tenant="acme"),
        replace(kept, made_ms=6),
        replace(kept, kid="k1"),
        replace(kept, kid="acme/a1"),
        replace(kept, call_sid="CA2"),
        replace(kept, format=2),
        replace(kept, box=b""),
    )
    for one in changed:
        with pytest.raises(SealBroken):
            masters.opened(msgspec.msgpack.encode(one), CALL)
    with pytest.raises(SealBroken) as caught:
        masters.opened(made(masters, call_sid="CA2"), CALL)
    assert str(caught.value) == "What is kept as the key of call CA1 is another call's."


def test_no_bit_of_a_wrapped_key_can_be_changed() -> None:
    masters = Masters([OLD])
    wrapped = made(masters)
    for place in range(len(wrapped)):
        broken = wrapped[:place] + bytes([wrapped[place] ^ 1]) + wrapped[place + 1 :]
        with pytest.raises(SealBroken):
            masters.opened(broken, CALL)


def test_rotation_wraps_anew_what_an_older_master_wrapped() -> None:
    wrapped = made(Masters([OLD]))
    both = Masters([NEW, OLD])
    anew = both.rewrapped(wrapped, CALL)
    assert anew is not None
    assert both.rewrapped(anew, CALL) is None
    assert Masters([NEW]).opened(anew, CALL)[1] == both.opened(wrapped, CALL)[1]


def test_names_are_digests_that_need_the_key() -> None:
    names = Masters([NEW, OLD, ACME]).names("from:+44")
    assert len(names) == 2
    assert names == [*Masters([NEW]).names("from:+44"), *Masters([OLD]).names("from:+44")]
    assert Masters([]).names("x") == []
    assert not Masters([])


def test_bytes_that_are_no_key_are_none() -> None:
    for content in (b"", b"\xc1", b"x" * 40, msgspec.msgpack.encode([1, 2])):
        assert read(content) is None
    assert isinstance(read(made(Masters([OLD]))), WrappedKey)
