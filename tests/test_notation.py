"""How settings are written; what `load` makes of a wrong one stands in tests/test_config.py."""

from collections.abc import Callable

import pytest

from service import notation


def test_a_comma_list_is_what_stands_between_the_commas() -> None:
    assert notation.items(" a, b c,, ,d") == ("a", "b c", "d")
    assert notation.items("") == ()
    assert notation.listed("a,b") == ("a", "b")
    assert notation.listed(7) == 7
    assert notation.each(str.upper)(("a", "b")) == ("A", "B")


def test_what_is_sound_is_returned() -> None:
    assert notation.named_secret("k:a:b") == ("k", "a:b")
    assert notation.address("https://x.example/calls/") == "https://x.example/calls"
    assert notation.address("") == ""
    assert notation.origin("http://[::1]:8000") == "http://[::1]:8000"
    assert notation.network("10.1.0.0/8") == "10.1.0.0/8"
    assert notation.drop_limit("1000/86400") == "1000/86400"


@pytest.mark.parametrize(
    ("read", "wrong"),
    [
        (notation.named_secret, ["", "k", "k:", ":s"]),
        (notation.address, ["x", "ftp://x", "https://", "https://x?a", "https://x#a", "http://x:0"]),
        (notation.origin, ["", "x", "https://x/", "https://u@x", "ftp://x"]),
        (notation.network, ["", "*", "x", "10.0.0.0/33", "1.2.3"]),
        (notation.drop_limit, ["", "1", "0/1", "1/0", "1001/1", "1/86401", "a/b", "-1/2"]),
    ],
)  # fmt: skip
def test_what_is_not_says_what_was_expected(
    read: Callable[[str], object], wrong: list[str]
) -> None:
    for text in wrong:
        with pytest.raises(ValueError, match=r"^expected "):
            read(text)


def test_named_secrets_are_pairs_and_stay_what_they_are() -> None:
    pairs = (("a", "1"), ("b", "2"))
    assert notation.named_secrets("a:1, b:2") == pairs
    assert notation.named_secrets(pairs) == pairs
