from service.keyring import KEY_ID_LETTERS, Keyring

SID = "WB" + "1" * 32


def test_what_the_newest_secret_signs_every_ring_with_it_accepts() -> None:
    old, both, new = (Keyring(names, b"a") for names in (["old"], ["new", "old"], ["new"]))
    for signer, readers in ((old, (old, both)), (both, (both, new))):
        signature = signer.signature(signer.key_id, "text", SID)
        assert all(one.is_signed(signer.key_id, "text", SID, signature) for one in readers)
    assert both.knows(old.key_id)
    assert not new.knows(old.key_id)
    assert len(new.key_id) == KEY_ID_LETTERS


def test_a_signature_is_of_one_text_one_call_and_one_purpose() -> None:
    ring, other = Keyring(["s"], b"a"), Keyring(["s"], b"b")
    signature = ring.signature(ring.key_id, "text", SID)
    assert not ring.is_signed(ring.key_id, "text", SID + "0", signature)
    assert not ring.is_signed(ring.key_id, "texts", SID, signature)
    assert not ring.is_signed(ring.key_id, "text", SID, signature + "\ud800")
    assert other.key_id != ring.key_id
