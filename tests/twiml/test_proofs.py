import base64
import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from twiml.proofs import TelnyxProof, plivo_signed

OURS = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = base64.b64encode(OURS.public_key().public_bytes_raw()).decode()
NOW_S = 1_800_000_000
BODY = b"CallSid=v3%3Ax&From=%2B1"


def signed(body: bytes = BODY, timestamp: str = str(NOW_S)) -> str:
    return base64.b64encode(OURS.sign(timestamp.encode() + b"|" + body)).decode()


def test_telnyx_signs_time_and_body() -> None:
    proof = TelnyxProof(PUBLIC)
    assert proof.is_signed(BODY, signed(), str(NOW_S), NOW_S * 1000)
    assert not proof.is_signed(BODY + b"&a=b", signed(), str(NOW_S), NOW_S * 1000)
    assert not proof.is_signed(BODY, signed(), str(NOW_S + 1), NOW_S * 1000)
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    wrong = TelnyxProof(base64.b64encode(other).decode())
    assert not wrong.is_signed(BODY, signed(), str(NOW_S), NOW_S * 1000)


@pytest.mark.parametrize(
    ("age_s", "is_taken"),
    [(300, True), (301, False), (-300, True), (-301, False)],
)
def test_an_old_request_of_telnyx_is_none(age_s: int, *, is_taken: bool) -> None:
    at = (NOW_S + age_s) * 1000
    assert TelnyxProof(PUBLIC).is_signed(BODY, signed(), str(NOW_S), at) is is_taken


@pytest.mark.parametrize("signature", ["", "*", "\xe4", "AAAA", "x" * 9_999])
@pytest.mark.parametrize("timestamp", ["", "x", "-1", "٣", "9" * 12, str(NOW_S)])
def test_nothing_that_telnyx_could_be_sent_raises(signature: str, timestamp: str) -> None:
    assert TelnyxProof(PUBLIC).is_signed(BODY, signature, timestamp, NOW_S * 1000) is False


@pytest.mark.parametrize(
    ("timestamp", "is_taken"),
    [
        (f"0{NOW_S}", True),
        (f"00{NOW_S}", False),
        (f" {NOW_S}", False),
        (f"+{NOW_S}", False),
        ("١٨٠٠٠٠٠٠٠٠", False),
    ],
)
def test_a_time_that_was_signed_must_be_written_as_one(timestamp: str, *, is_taken: bool) -> None:
    signature = signed(timestamp=timestamp)
    assert TelnyxProof(PUBLIC).is_signed(BODY, signature, timestamp, NOW_S * 1000) is is_taken


def test_what_is_no_base64_is_not_read_as_if_it_were() -> None:
    for junk in ("*", "\n", "-"):
        assert not TelnyxProof(PUBLIC).is_signed(BODY, junk + signed(), str(NOW_S), NOW_S * 1000)
        with pytest.raises(ValueError, match=r"^A public key of Telnyx is base64\.$"):
            TelnyxProof(junk + PUBLIC)
    with pytest.raises(ValueError, match=r"^A public key of Telnyx has 32 bytes\.$"):
        TelnyxProof("AAAA")


@pytest.mark.parametrize("key", ["", "*", "AAAA", base64.b64encode(bytes(33)).decode()])
def test_a_key_that_is_none_is_said_to_be(key: str) -> None:
    with pytest.raises(ValueError, match="public key of Telnyx"):
        TelnyxProof(key)


def plivos(text: str) -> str:
    return base64.b64encode(hmac.digest(b"secret", text.encode(), hashlib.sha256)).decode()


@pytest.mark.parametrize(
    ("url", "fields", "text"),
    [
        ("https://h/p", [("B", "2"), ("A", "1")], "https://h/p?A1B2.77"),
        ("https://h/p", [], "https://h/p.77"),
        ("https://h/p?b=2&a=1", [], "https://h/p?a=1&b=2.77"),
        ("https://h/p?play=x", [("A", "1"), ("A", "0")], "https://h/p?play=x.A0A1.77"),
        ("https://h/p?b=&a=1", [], "https://h/p?a=1&b=.77"),
    ],
)
def test_plivo_signs_url_fields_and_nonce(
    url: str, fields: list[tuple[str, str]], text: str
) -> None:
    for signatures in (plivos(text), f"AAAA, {plivos(text)}"):
        assert plivo_signed(["secret"], url, fields, nonce="77", signatures=signatures)
        assert plivo_signed(["new", "secret"], url, fields, nonce="77", signatures=signatures)
        assert not plivo_signed(["other"], url, fields, nonce="77", signatures=signatures)
        assert not plivo_signed(["secret"], url, fields, nonce="78", signatures=signatures)
    assert not plivo_signed(["secret"], url, [*fields, ("C", "")], nonce="7", signatures="")


def test_of_a_long_list_of_signatures_the_first_few_count() -> None:
    for before, is_taken in ((7, True), (8, False)):
        many = ",".join(["AAAA"] * before + [plivos("https://h/p.1")])
        signed = plivo_signed(["secret"], "https://h/p", [], nonce="1", signatures=many)
        assert signed == is_taken
    assert not plivo_signed(["secret"], "https://h/p", [], nonce="\ud800", signatures="\ud800")
