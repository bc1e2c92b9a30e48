from base64 import b64encode, urlsafe_b64encode
from hashlib import sha256

import pytest

from service.trust.sealkeys import KEYS_MAX, SealKey, fresh, parsed

SECRET = sha256(b"secret").digest()
TEXT = b64encode(SECRET).decode()
OTHER = b64encode(sha256(b"other").digest()).decode()


def test_keys_have_names_and_perhaps_tenants() -> None:
    assert parsed([f"k2:{TEXT}", f"acme/a.1:{OTHER}"]) == (
        SealKey("k2", "", SECRET),
        SealKey("acme/a.1", "acme", sha256(b"other").digest()),
    )
    assert parsed([]) == ()
    assert parsed([f"k:{urlsafe_b64encode(SECRET).decode()}"])[0].secret == SECRET


def test_a_fresh_key_is_one_that_is_taken() -> None:
    one, two = parsed([fresh()]), parsed([fresh()])
    assert one != two
    assert "secret" not in repr(one)


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (["k"], "kid:base64"),
        ([f":{TEXT}"], "kid:base64"),
        ([f"a/b/c:{TEXT}"], "kid:base64"),
        ([f"k k:{TEXT}"], "kid:base64"),
        ([f"k:{TEXT[:-4]}"], "not 32 bytes"),
        ([f"k:{TEXT}!"], "not 32 bytes"),
        (["k:" + b64encode(bytes(32)).decode()], "not random"),
        ([f"k:{TEXT}", f"k:{OTHER}"], "same name"),
        ([f"k:{TEXT}", f"l:{TEXT}"], "two names"),
        ([f"acme/k:{TEXT}"], "none of their own"),
        ([fresh() for _ in range(KEYS_MAX + 1)], "at most"),
    ],
)
def test_anything_else_is_one_sentence_without_the_key(texts: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why) as wrong:
        parsed(texts)
    assert TEXT[:8] not in str(wrong.value)
