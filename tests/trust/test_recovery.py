import random

from service.trust.recovery import (
    FIRST,
    NONCE_LETTERS,
    SKEW_MS,
    SPARE_MS,
    TOKEN_LETTERS_MAX,
    Recovery,
    RecoveryMint,
)

NOW_MS = 1_700_000_000_000
WINDOW_MS = 600_000
SID, OTHER = "WB" + "1" * 32, "WB" + "2" * 32
NONCE = "abcdefgh12345678"


def mint(*secrets: str) -> RecoveryMint:
    return RecoveryMint(secrets or ("secret",), WINDOW_MS)


def read(token: str, call_sid: str = SID, now_ms: int = NOW_MS) -> Recovery:
    found = mint().read(token, call_sid, now_ms=now_ms)
    assert isinstance(found, Recovery), found
    return found


def refusal(token: str, call_sid: str = SID, now_ms: int = NOW_MS) -> str:
    found = mint().read(token, call_sid, now_ms=now_ms)
    assert isinstance(found, str)
    return found


def test_the_first_token_of_a_call_follows_none() -> None:
    token = mint().first(SID, NONCE, now_ms=NOW_MS)
    assert read(token) == Recovery(NONCE, FIRST, NOW_MS)
    assert len(token) <= TOKEN_LETTERS_MAX


def test_the_next_token_of_one_attempt_is_always_the_same_and_of_another_never() -> None:
    first = read(mint().first(SID, NONCE, now_ms=NOW_MS))
    one, again, other = (
        read(mint().next(SID, first, attempt, now_ms=NOW_MS + late_ms))
        for attempt, late_ms in (("a", 0), ("a", 5_000), ("b", 0))
    )
    assert one.parent == again.parent == other.parent == NONCE
    assert one.nonce == again.nonce != other.nonce
    assert again.issued_ms - one.issued_ms == 5_000


def test_a_token_is_good_for_its_window_and_a_little_more() -> None:
    token = mint().first(SID, NONCE, now_ms=NOW_MS)
    last_ms = NOW_MS + WINDOW_MS + SPARE_MS + SKEW_MS
    assert read(token, now_ms=last_ms).nonce == NONCE
    assert "expired" in refusal(token, now_ms=last_ms + 1)


def test_a_token_opens_only_its_own_call() -> None:
    assert "not of this call" in refusal(mint().first(SID, NONCE, now_ms=NOW_MS), OTHER)
    assert "not of this call" in refusal(mint("another").first(SID, NONCE, now_ms=NOW_MS))


def test_whatever_is_no_token_is_refused_with_a_sentence() -> None:
    seed = random.randrange(2**32)
    chance, token = random.Random(seed), mint().first(SID, NONCE, now_ms=NOW_MS)
    for broken in ("", ".", "1.2.3.4.5.6", token * 3, "é" + token, "2" + token[1:]):
        assert refusal(broken), broken
    for _ in range(500):
        at = chance.randrange(len(token))
        changed = token[:at] + chance.choice("abcXYZ019-_.") + token[at + 1 :]
        # The last letter of base64 holds two bits that mean nothing, but the letter itself is compared.
        assert changed == token or refusal(changed), f"seed {seed}: {changed}"


def test_the_limits_are_those_that_were_promised() -> None:
    assert (SPARE_MS, SKEW_MS) == (300_000, 60_000)
    assert (NONCE_LETTERS, TOKEN_LETTERS_MAX, FIRST) == (16, 160, "-")


def test_a_token_is_the_same_in_every_version_and_every_process() -> None:
    """S-2: another server, or the one that comes after a deployment, must read what this one issued."""
    first = mint().first(SID, NONCE, now_ms=NOW_MS)
    assert first == f"1.092e3290.1700000900.-.{NONCE}.f7ot8uBUKVSOzNFIQsZ5dfboq_AbY5PJAmrrsTVvBpw"
    following = mint().next(SID, read(first), "a", now_ms=NOW_MS)
    assert following == (
        f"1.092e3290.1700000900.{NONCE}.vaTdVg4tTaz1r7gx.ne_i7mpjm0m3xtHcjWrc-wskBRDUtoKlkpPOT-fPvb8"
    )


def test_a_token_may_be_as_long_as_is_promised_and_no_longer() -> None:
    short = len(mint().first(SID, "", now_ms=NOW_MS))
    for spare in (0, 1):
        token = mint().first(SID, "n" * (TOKEN_LETTERS_MAX - short + spare), now_ms=NOW_MS)
        is_good = isinstance(mint().read(token, SID, now_ms=NOW_MS), Recovery)
        assert is_good == (len(token) <= TOKEN_LETTERS_MAX)


def test_a_token_of_another_shape_is_malformed_and_no_key_is_asked() -> None:
    token = mint().first(SID, NONCE, now_ms=NOW_MS)
    too_long = token + "A" * TOKEN_LETTERS_MAX
    for broken in (too_long, token[:-1] + "é", "2" + token[1:], token + ".x", "1.2.3"):
        assert refusal(broken) == "the recovery token is malformed", broken
