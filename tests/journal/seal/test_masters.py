"""S-7: a call's key is wrapped by its tenant's newest master, and bound to what is said of it."""

import msgspec
import pytest
from msgspec.structs import replace

from service.errors import SealBroken
from service.journal.seal.masters import Masters, WrappedKey, read
from service.sealkeys import SealKey
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


def test_a_tenant_with_a_key_of_its_own_has_that() -> None:
    masters = Masters([NEW, ACME])
    assert masters.newest("acme") == "acme/a1"
    assert masters.newest("other") == masters.newest("") == "k2"
    kept, _ = masters.opened(made(masters, "acme"), CALL)
    assert kept.kid == "acme/a1"


def test_a_key_whose_master_is_gone_says_which() -> None:
    with pytest.raises(SealBroken, match="SEAL_KEYS has no key 'k1'"):
        Masters([NEW]).opened(made(Masters([OLD])), CALL)


def test_a_master_of_the_same_name_but_another_secret_does_not_fit() -> None:
    impostor = SealKey(OLD.kid, OLD.tenant, NEW.secret)
    with pytest.raises(SealBroken, match="does not fit"):
        Masters([impostor]).opened(made(Masters([OLD])), CALL)


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
    with pytest.raises(SealBroken, match="another call's"):
        masters.opened(made(masters, call_sid="CA2"), CALL)


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
