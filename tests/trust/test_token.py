import random
import secrets

import pytest

from service.trust.token import (
    BROWSER,
    EAR,
    FRESH_MS,
    LIFE_MS,
    REDIAL_WINDOW_MS,
    REDIALS_MAX,
    SKEW_MS,
    TOKEN_LETTERS_MAX,
    Token,
    TokenMint,
)

NOW_MS = 1_700_000_000_000
SID = "CA" + "1" * 32
NONCE = "abcdefgh12345678"


@pytest.fixture
def mint() -> TokenMint:
    return TokenMint(["secret"])


def issued(mint: TokenMint, now_ms: int = NOW_MS) -> str:
    return mint.issue(SID, door="voice", is_known=False, nonce=NONCE, now_ms=now_ms)


def refusal(mint: TokenMint, token: str, call_sid: str = SID, now_ms: int = NOW_MS) -> str:
    read = mint.read(token, call_sid, now_ms=now_ms)
    assert isinstance(read, str)
    return read


@pytest.mark.parametrize("door", ["voice", "resume", EAR])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_token_says_what_it_was_issued_for(mint: TokenMint, door: str, *, is_known: bool) -> None:
    token = mint.issue(SID, door=door, is_known=is_known, nonce=NONCE, now_ms=NOW_MS)
    assert mint.read(token, SID, now_ms=NOW_MS) == Token(door, is_known, NONCE, NOW_MS + LIFE_MS)


def test_a_token_tells_when_its_call_was_opened(mint: TokenMint) -> None:
    """O-1: the oldest call goes first, and no store is asked for its age."""
    token = mint.issue(
        SID, door="resume", is_known=True, nonce=NONCE, now_ms=NOW_MS, opened_ms=NOW_MS - 1_999
    )
    read = mint.read(token, SID, now_ms=NOW_MS)
    assert isinstance(read, Token)
    assert read.opened_s == NOW_MS // 1000 - 2
    assert read.nonce.startswith(NONCE)
    assert len(token.split(".")) == 7, "a server of the version before reads it, too"


def test_a_token_of_the_version_before_has_no_age(mint: TokenMint) -> None:
    read = mint.read(issued(mint), SID, now_ms=NOW_MS)
    assert isinstance(read, Token)
    assert (read.opened_s, read.nonce) == (0, NONCE)
    assert read.issued_ms == NOW_MS // 1000 * 1000


@pytest.mark.parametrize("opened_ms", [0, NOW_MS])
def test_a_token_tells_to_the_millisecond_when_it_was_issued(
    mint: TokenMint, opened_ms: int
) -> None:
    """Told to the second, a carrier's usual 300 ms made every third call of an outage an old one."""
    now_ms = NOW_MS + 987
    token = mint.issue(
        SID, door="voice", is_known=False, nonce=NONCE, now_ms=now_ms, opened_ms=opened_ms
    )
    read = mint.read(token, SID, now_ms=now_ms)
    assert isinstance(read, Token)
    assert (read.issued_ms, read.opened_s) == (now_ms, opened_ms // 1000)
    assert read.nonce.startswith(f"{NONCE}@987"), "so it stands in tokens of every version"
    assert token.split(".")[4] == f"{NOW_MS // 1000 + 60}", "the version before reads it, too"


@pytest.mark.parametrize(
    ("age_ms", "is_fresh"),
    [(0, True), (FRESH_MS, True), (FRESH_MS + 1, False), (-FRESH_MS, True), (-FRESH_MS - 1, False)],
)
def test_a_token_is_fresh_for_a_second_whatever_the_second(
    mint: TokenMint, age_ms: int, *, is_fresh: bool
) -> None:
    """Seed 10059931: of a clock that is seconds behind it is no more so than of one ahead."""
    for issued_ms in (NOW_MS, NOW_MS + 1, NOW_MS + 999):
        read = mint.read(issued(mint, issued_ms), SID, now_ms=issued_ms)
        assert isinstance(read, Token)
        assert read.is_fresh(issued_ms + age_ms) == is_fresh


def test_a_token_is_short_printable_and_never_names_its_call(mint: TokenMint) -> None:
    token = mint.issue(
        SID,
        door="resume",
        is_known=True,
        nonce=secrets.token_urlsafe(24),
        now_ms=NOW_MS + 999,
        opened_ms=NOW_MS,
    )
    assert len(token) <= TOKEN_LETTERS_MAX
    assert token.isascii()
    assert token.isprintable()
    assert SID not in token


def test_every_change_of_every_character_is_refused(mint: TokenMint) -> None:
    token = issued(mint)
    for seed in range(3):
        chance = random.Random(seed)
        for at, letter in enumerate(token):
            others = [one for one in "aAzZ019-_.~ é\u0661" if one != letter]
            forged = token[:at] + chance.choice(others) + token[at + 1 :]
            assert refusal(mint, forged), f"seed {seed}, character {at}"


def test_a_character_more_or_less_is_refused(mint: TokenMint) -> None:
    token = issued(mint)
    for at in range(len(token)):
        assert refusal(mint, token[:at] + token[at + 1 :])
        assert refusal(mint, token[:at] + "A" + token[at:])


@pytest.mark.parametrize("call_sid", ["", "CA2", SID + "1", SID[:-1], SID.lower(), "\ud800"])
def test_a_token_of_another_call_is_refused(mint: TokenMint, call_sid: str) -> None:
    assert refusal(mint, issued(mint), call_sid) == "the token does not belong to this call"


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "the stream brought no token"),
        ("x", "the token is malformed"),
        ("1.a.v.0.1.n", "the token is malformed"),
        ("2.a.v.0.1.n.m", "the token is malformed"),
        ("1.a.v.0.1.n.m.x", "the token is malformed"),
        ("1.a.v.0.1.n." + "m" * TOKEN_LETTERS_MAX, "the token is malformed"),
        ("1.a.v.0.1.n.\ud800", "the token is malformed"),
        ("......", "the token is malformed"),
        ("1......", "the token was signed with a key that is not in use"),
    ],
)
def test_what_is_no_token_is_refused_with_one_sentence(
    mint: TokenMint, token: str, reason: str
) -> None:
    assert refusal(mint, token) == reason


@pytest.mark.parametrize(
    ("late_ms", "is_good"),
    [
        (LIFE_MS + SKEW_MS, True),
        (LIFE_MS + SKEW_MS + 1, False),
        (-SKEW_MS, True),
        (-SKEW_MS - 1, False),
    ],
)
def test_a_token_lives_for_its_time_and_the_clocks_skew(
    mint: TokenMint, late_ms: int, *, is_good: bool
) -> None:
    read = mint.read(issued(mint), SID, now_ms=NOW_MS + late_ms)
    assert isinstance(read, Token) is is_good
    if not is_good:
        assert read == ("the token has expired" if late_ms > 0 else "the token is from the future")


def test_while_keys_rotate_the_newest_signs_and_all_verify() -> None:
    old, both, new = TokenMint(["old"]), TokenMint(["new", "old"]), TokenMint(["new"])
    assert isinstance(both.read(issued(old), SID, now_ms=NOW_MS), Token)
    assert isinstance(new.read(issued(both), SID, now_ms=NOW_MS), Token)
    assert refusal(old, issued(both)) == "the token was signed with a key that is not in use"
    assert isinstance(TokenMint(["new", "old"]).read(issued(both), SID, now_ms=NOW_MS), Token)


def test_the_limits_are_those_that_were_promised() -> None:
    """S-2: 60 s of life, 60 s of skew, and a peer that dials anew five times within a minute."""
    assert (LIFE_MS, SKEW_MS) == (60_000, 60_000)
    assert (REDIAL_WINDOW_MS, REDIALS_MAX, FRESH_MS) == (60_000, 5, 1_000)
    assert TOKEN_LETTERS_MAX == 200


@pytest.mark.parametrize(
    ("door", "letter", "mac"),
    [
        ("voice", "v", "EyPn43IlBPWjUIo47-5Ad0fU8tAYx4plJXkEK3kNKDg"),
        ("resume", "r", "NOxbVr_A_S_AfBTc1h7EKJkH6eS73hRLtqaeQZPIdLo"),
        ("ear", "e", "8Bdps71EEkpLjDm8kUwrn47GqlGvrVFULPu8N4oKVHg"),
        ("browser", "b", "acPIqcxpEHQthBZNSLnOM3xPg1uVRuipFU9WEt82m40"),
    ],
)
def test_a_token_is_the_same_in_every_version_and_every_process(
    mint: TokenMint, door: str, letter: str, mac: str
) -> None:
    """S-2: another server, or the one that comes after a deployment, must read what this one issued."""
    token = mint.issue(
        SID, door=door, is_known=True, nonce=NONCE, now_ms=NOW_MS, opened_ms=NOW_MS - 1_000
    )
    assert token == f"1.558e0d9e.{letter}.1.1700000060.{NONCE}~1699999999.{mac}"
    read = mint.read(token, SID, now_ms=NOW_MS)
    assert isinstance(read, Token)
    assert (read.door, read.is_known, read.opened_s) == (door, True, NOW_MS // 1000 - 1)
    assert (EAR, BROWSER) == ("ear", "browser")


@pytest.mark.parametrize(("length", "is_good"), [(TOKEN_LETTERS_MAX, True), (201, False)])
def test_a_token_may_be_as_long_as_is_promised(
    mint: TokenMint, length: int, *, is_good: bool
) -> None:
    nonce = "n" * (len(NONCE) + length - len(issued(mint)))
    token = mint.issue(SID, door="voice", is_known=False, nonce=nonce, now_ms=NOW_MS)
    assert len(token) == length
    assert isinstance(mint.read(token, SID, now_ms=NOW_MS), Token) == is_good
