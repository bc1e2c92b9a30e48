"""What makes a secret weak. How development credentials are kept: tests/test_config.py, through `load`."""

import random
import secrets
from pathlib import Path

import pytest

from service.errors import ConfigError
from service.trust.credentials import LETTERS_MIN, check, development_credentials, weakness


@pytest.mark.parametrize(
    "secret",
    ["", "admin", "x" * 15, "x" * 64, "abab" * 10, "password-password", "MyPlaceholder12345", "some-long-secret-2"],
)  # fmt: skip
def test_what_can_be_guessed_is_weak(secret: str) -> None:
    assert weakness(secret)
    assert not secret or secret not in weakness(secret)


def test_what_was_drawn_at_random_is_not() -> None:
    seed = secrets.randbits(32)
    rng = random.Random(seed)
    for _ in range(200):
        drawn = "".join(rng.choices("0123456789abcdef", k=2 * LETTERS_MIN))
        assert weakness(drawn) == "", f"{seed=} {drawn}"
    assert not weakness(secrets.token_urlsafe(16))


def test_development_credentials_are_strong_and_stay_the_same(tmp_path: Path) -> None:
    made = development_credentials(tmp_path / "var" / "development.json")
    assert not weakness(made["auth_token"])
    assert not weakness(made["api_token"])
    assert development_credentials(tmp_path / "var" / "development.json") == made


def test_one_secret_serves_one_purpose() -> None:
    one, other = (secrets.token_hex(16) for _ in range(2))
    check([("A", one), ("A", one), ("B", other)])
    with pytest.raises(ConfigError, match=r"^B: the same secret as in A; each needs its own$"):
        check([("A", one), ("B", one)])
    with pytest.raises(ConfigError, match=r"^B: a secret has at least 16 characters$"):
        check([("A", one), ("B", "short")])
