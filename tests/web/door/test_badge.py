import hashlib
import hmac
import random
import string
from base64 import urlsafe_b64encode

import pytest

from service.trust.api_token import ApiToken
from service.web.door.badge import (
    BADGE_LETTERS_MAX,
    COOKIE,
    LIFE_S,
    NONCE_LETTERS_MAX,
    Badge,
    BadgeMint,
)

NOW_MS = 1_000_000_000_500
SEE = ApiToken.model_construct(token="see", role="viewer", tenant="default")
ACT = ApiToken.model_construct(token="act", role="agent", tenant="t2")
MINT = BadgeMint([SEE, ACT])
LETTERS = string.ascii_letters + string.digits + "-_."


def issued(token: ApiToken = ACT) -> str:
    return MINT.issue(token, nonce="nonce-0123456789abcdef", now_ms=NOW_MS)


def test_a_badge_says_for_which_token_it_stands_on_every_server() -> None:
    badge = BadgeMint([ACT]).read(issued(), now_ms=NOW_MS)
    assert badge == Badge(
        token=ACT, nonce="nonce-0123456789abcdef", expires_ms=(NOW_MS // 1000 + LIFE_S) * 1000
    )
    assert len(issued()) <= BADGE_LETTERS_MAX
    assert "act" not in issued().split(".")


def made(*, version: str = "1", expiry: str = str(NOW_MS // 1000 + 9), nonce: str = "n") -> str:
    """Make a badge for `act` as the layout says, apart from the code under test."""
    name = hashlib.sha256(b"stayline api token 1\0act").hexdigest()[:16]
    told = f"{version}.{name}.{expiry}.{nonce}"
    key = hmac.digest(b"act", b"stayline badge 1", "sha256")
    mac = hmac.digest(key, f"{told}\0agent\0t2".encode(), "sha256")
    return f"{told}.{urlsafe_b64encode(mac).decode().rstrip('=')}"


def test_a_badge_is_read_by_its_layout_alone() -> None:
    """Another version of this service, behind the same balancer, reads and makes the same."""
    expires_ms = (NOW_MS // 1000 + 9) * 1000
    assert MINT.read(made(), now_ms=NOW_MS) == Badge(token=ACT, nonce="n", expires_ms=expires_ms)
    shift = made(expiry=str(NOW_MS // 1000 + 43_200))
    assert MINT.issue(ACT, nonce="n", now_ms=NOW_MS) == shift
    assert (COOKIE, LIFE_S, BADGE_LETTERS_MAX, NONCE_LETTERS_MAX) == ("stayline", 43_200, 200, 40)


@pytest.mark.parametrize(
    "said",
    [{"version": "2"}, {"version": ""}, {"nonce": ""}, {"expiry": ""}, {"expiry": "x"}, {"expiry": "-9"}, {"nonce": "a.b"}],
)  # fmt: skip
def test_what_a_badge_never_says_is_no_badge_though_its_mac_is_right(said: dict[str, str]) -> None:
    assert MINT.read(made(**said), now_ms=NOW_MS) is None


def test_a_badge_has_a_length_that_is_bounded() -> None:
    rest = len(made(nonce=""))
    for letters, is_read in ((BADGE_LETTERS_MAX, True), (BADGE_LETTERS_MAX + 1, False)):
        badge = MINT.read(made(nonce="n" * (letters - rest)), now_ms=NOW_MS)
        assert (badge is not None) == is_read


def test_a_badge_ends_when_its_time_is_over() -> None:
    ends_ms = (NOW_MS // 1000 + LIFE_S) * 1000
    assert MINT.read(issued(), now_ms=ends_ms - 1) is not None
    assert MINT.read(issued(), now_ms=ends_ms) is None


def test_a_token_that_is_no_more_ends_its_badges() -> None:
    assert BadgeMint([SEE]).read(issued(), now_ms=NOW_MS) is None


@pytest.mark.parametrize(("role", "tenant"), [("viewer", "t2"), ("agent", "default")])
def test_a_token_that_means_something_else_now_ends_its_badges(role: str, tenant: str) -> None:
    changed = ApiToken.model_construct(token="act", role=role, tenant=tenant)
    assert BadgeMint([changed]).read(issued(), now_ms=NOW_MS) is None


@pytest.mark.parametrize(
    "text",
    ["", ".", "....", "1....", "2" + issued()[1:], issued() + ".", issued() + "é", "1." * 200, issued()[:-1]],
)  # fmt: skip
def test_what_is_no_badge_is_read_as_none(text: str) -> None:
    assert MINT.read(text, now_ms=NOW_MS) is None


def test_no_changed_letter_is_accepted() -> None:
    seed = 7
    chance = random.Random(seed)
    text = issued()
    for _ in range(2_000):
        at = chance.randrange(len(text))
        changed = text[:at] + chance.choice(LETTERS) + text[at + 1 :]
        if changed != text:
            assert MINT.read(changed, now_ms=NOW_MS) is None, (seed, changed)


def test_one_persons_badge_is_not_carried_over_to_another_token() -> None:
    mine, theirs = issued(SEE).split("."), issued(ACT).split(".")
    mixed = ".".join([mine[0], theirs[1], *mine[2:]])
    assert MINT.read(mixed, now_ms=NOW_MS) is None
