import pytest

from service.errors import SealBroken
from service.journal.seal.masters import Masters
from service.journal.seal.shelf import ShelfSeal
from tests.journal.sealing import KEY, seal_key

SEAL = ShelfSeal(Masters([KEY]))


def test_whoever_finds_it_opens_it_with_the_master_alone() -> None:
    sealed = SEAL.seal(b"the caller said")
    assert b"caller" not in sealed
    assert ShelfSeal(Masters([seal_key("k2"), KEY])).open(sealed) == b"the caller said"
    assert SEAL.seal(b"x") != SEAL.seal(b"x")


def test_without_masters_it_passes_in_clear_and_what_is_sealed_stays_shut() -> None:
    plain = ShelfSeal(Masters([]))
    assert plain.open(plain.seal(b"x")) == b"x"
    assert SEAL.open(b"\x86x") == b"\x86x"
    with pytest.raises(SealBroken):
        plain.open(SEAL.seal(b"x"))


def test_not_one_bit_can_be_changed() -> None:
    sealed = SEAL.seal(b"the caller said")
    for place in range(1, len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SealBroken):
            SEAL.open(bytes(changed))
    for length in range(1, len(sealed), 7):
        with pytest.raises(SealBroken):
            SEAL.open(sealed[:length])
