from service.trust.keyring import KEY_ID_LETTERS, Keyring

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


def test_a_signature_is_the_same_in_every_version_and_every_process() -> None:
    """S-2: another server, or the one that comes after a deployment, must read what this one signed."""
    ring = Keyring(["s"], b"a")
    assert ring.key_id == "45787221"
    assert ring.signature(ring.key_id, "text", SID) == "-xJ2QuetkYNb5WRNFs_SHsu5ZsMPnNGVKaTPBheTpwo"
    assert "=" not in ring.signature(ring.key_id, "text", SID)


def test_a_ring_without_secrets_knows_no_key() -> None:
    ring = Keyring([], b"a")
    assert ring.key_id == ""
    assert not ring.knows("")


def test_whatever_letters_a_text_has_it_is_signed_and_never_raises() -> None:
    ring = Keyring(["s"], b"a")
    assert ring.is_signed(ring.key_id, "\ud800", SID, ring.signature(ring.key_id, "\ud800", SID))
